package dev.microsandbox.engine;

import dev.microsandbox.model.SandboxId;
import dev.microsandbox.model.SandboxName;
import dev.microsandbox.model.SandboxSpec;

/// Names one sandbox of a caller's: by id, or by name within a namespace.
///
/// @param text an id (which needs no namespace) or a name
public record SandboxRef(String namespace, String text) {
  public SandboxRef {
    SandboxName.check(namespace, "namespace");
    SandboxName.check(text, "sandbox name");
  }

  /// In the default namespace.
  public static SandboxRef of(String text) {
    return new SandboxRef(SandboxSpec.DEFAULT_NAMESPACE, text);
  }

  public static SandboxRef of(SandboxId id) {
    return of(id.value());
  }
}
