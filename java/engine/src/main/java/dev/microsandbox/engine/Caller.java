package dev.microsandbox.engine;

import dev.microsandbox.model.SandboxName;
import dev.microsandbox.model.SandboxSpec;

/// Who asks. Every call carries one, and sees only what belongs to its owner.
///
/// @param owner the key's project, `default` where there is none
public record Caller(String owner) {
  /// Whoever needs no key: the socket's group, or anybody on a server without keys.
  public static final Caller LOCAL = new Caller(SandboxSpec.DEFAULT_OWNER);

  public Caller {
    SandboxName.check(owner, "owner");
  }
}
