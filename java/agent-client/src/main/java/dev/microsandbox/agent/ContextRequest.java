package dev.microsandbox.agent;

import dev.microsandbox.model.Language;
import java.util.Map;

/// A further context to open. Empty texts stand for the sandbox's defaults.
public record ContextRequest(
    String id,
    Language language,
    Map<String, String> environment,
    String workingDirectory,
    String user) {

  public ContextRequest {
    environment = Map.copyOf(environment);
  }
}
