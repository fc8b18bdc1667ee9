package dev.microsandbox;

import org.jspecify.annotations.Nullable;

/// What the server knows of a context.
///
/// @param interpreterVersion null until it is ready
public record ContextInfo(
    String id, String language, @Nullable String interpreterVersion, boolean ready) {
  static ContextInfo of(JsonObject context) {
    return new ContextInfo(
        context.text("id"),
        context.text("language"),
        context.textOrNull("interpreter_version"),
        context.truth("ready"));
  }
}
