package dev.microsandbox;

import java.time.Instant;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// A line of a sandbox's log.
///
/// @param sequence counts up; gaps are lines that the bounded log has dropped
/// @param source `server`, `agent`, `network`, or `stdout` and `stderr` for output outside of any
///   cell
public record LogLine(
    long sequence, @Nullable Instant time, String source, String level, String text) {
  static LogLine of(JsonNode node) {
    return new LogLine(
        node.path("sequence").asLong(0),
        Json.instantOrNull(node, "time"),
        Json.text(node, "source"),
        Json.text(node, "level"),
        Json.text(node, "text"));
  }
}
