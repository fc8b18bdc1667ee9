package dev.microsandbox;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// How a cell or a command ended, with what it wrote.
///
/// @param outcome `ok`, `error`, `interrupted`, `timed_out`, `exited`, `signaled`, `out_of_memory`
///   or `sandbox_ended`
/// @param result the last expression's value by MIME type; empty where there is none
/// @param stateLost the interpreter died with all its variables; a new one was started
public record RunResult(
    String id,
    String outcome,
    String stdout,
    String stderr,
    Map<String, String> result,
    @Nullable RaisedError error,
    @Nullable Integer exitCode,
    @Nullable Integer signal,
    boolean stateLost) {

  /// What a cell raised.
  public record RaisedError(String name, String message, String traceback) {
    static @Nullable RaisedError of(JsonNode node) {
      return node.isObject()
          ? new RaisedError(
              Json.text(node, "name"), Json.text(node, "message"), Json.text(node, "traceback"))
          : null;
    }
  }

  static RunResult of(JsonNode node) {
    return new RunResult(
        Json.text(node, "id"),
        Json.text(node, "outcome"),
        Json.text(node, "stdout"),
        Json.text(node, "stderr"),
        Json.textMap(node, "result"),
        RaisedError.of(node.path("error")),
        Json.intOrNull(node, "exit_code"),
        Json.intOrNull(node, "signal"),
        node.path("state_lost").asBoolean(false));
  }

  /// Whether the cell raised, was interrupted, timed out, or its interpreter died. Text on stderr
  /// alone is no error.
  public boolean hasError() {
    return outcome.equals("exited")
        ? stateLost || exitCode == null || exitCode != 0
        : !outcome.equals("ok");
  }

  /// Standard output, then the last expression's value; trailing white space is left out.
  public String output() {
    return joined(stdout, result.get("text/plain"));
  }

  /// Standard error, and the traceback of what was raised.
  public String errorText() {
    return joined(stderr, error == null ? null : error.traceback());
  }

  private static String joined(String written, @Nullable String last) {
    if (last == null) {
      return written.stripTrailing();
    }
    String border = written.isEmpty() || written.endsWith("\n") ? "" : "\n";
    return (written + border + last).stripTrailing();
  }
}
