package dev.microsandbox.engine;

import dev.microsandbox.model.Language;
import dev.microsandbox.model.SandboxName;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A further context to open.
///
/// @param id by the rules of names; null for a new one
/// @param workingDirectory the user's home where empty
/// @param user `sandbox` where empty
public record ContextSpec(
    @Nullable String id,
    Language language,
    Map<String, String> environment,
    String workingDirectory,
    String user) {

  public ContextSpec {
    if (id != null) {
      SandboxName.check(id, "context");
    }
    environment = Map.copyOf(environment);
  }
}
