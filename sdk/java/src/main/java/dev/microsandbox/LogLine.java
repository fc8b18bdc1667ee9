package dev.microsandbox;

import java.time.Instant;

/// A line of a sandbox's log.
///
/// @param sequence counts up; gaps are lines that the bounded log has dropped
/// @param source `server`, `agent`, `network`, or `stdout` and `stderr` for output outside of any
///   cell
public record LogLine(long sequence, Instant time, String source, String level, String text) {
  static LogLine of(JsonObject node) {
    return new LogLine(
        node.whole("sequence"),
        node.instant("time"),
        node.text("source"),
        node.text("level"),
        node.text("text"));
  }
}
