package dev.microsandbox.engine;

import java.time.Instant;

/// A line of a sandbox's log.
///
/// @param sequence counts up within the sandbox; gaps are lines that the bounded log has dropped
/// @param source what it is about: `server`, `agent`, `network`, or `stdout` and `stderr` for
///   output of a context outside of any cell
/// @param level `info`, `warning` or `error`
public record LogEntry(long sequence, Instant time, String source, String level, String text) {}
