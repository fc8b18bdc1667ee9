package dev.microsandbox.engine;

import dev.microsandbox.model.SandboxName;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Which of a caller's sandboxes are asked for.
///
/// @param namespace null for all of them
/// @param labels all of which a sandbox must have
public record SandboxFilter(@Nullable String namespace, Map<String, String> labels) {
  public static final SandboxFilter ALL = new SandboxFilter(null, Map.of());

  public SandboxFilter {
    if (namespace != null) {
      SandboxName.check(namespace, "namespace");
    }
    labels = Map.copyOf(labels);
  }
}
