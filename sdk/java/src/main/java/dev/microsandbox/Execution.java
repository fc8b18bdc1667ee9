package dev.microsandbox;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What a cell came to. It is a value: an exception in the sandbox is not one here.
///
/// @param runId the run's id on the server
/// @param outcome how the cell ended
/// @param stdout what was written to standard output, as it was written
/// @param stderr what was written to standard error, without the traceback
/// @param leftOut bytes of output past the limit that are not in `stdout` and `stderr`, where a
///   mark stands for them
/// @param result the last expression's value by MIME type, binary ones in base64; empty where there
///   is none
/// @param omitted MIME types left out of the result for their size
/// @param raised what the cell raised
/// @param exitCode with which the cell, or its interpreter, exited
/// @param signal that ended its interpreter
/// @param stateLost whether the interpreter died and a new one, without the variables, has taken
///   its place
/// @param duration that it ran, by the server's clock
public record Execution(
    String runId,
    Outcome outcome,
    String stdout,
    String stderr,
    long leftOut,
    Map<String, String> result,
    List<String> omitted,
    @Nullable RaisedError raised,
    @Nullable Integer exitCode,
    @Nullable Integer signal,
    boolean stateLost,
    Duration duration) {

  static Execution of(JsonObject run) {
    return new Execution(
        run.text("id"),
        Outcome.of(run.text("outcome")),
        run.text("stdout"),
        run.text("stderr"),
        run.whole("stdout_left_out") + run.whole("stderr_left_out"),
        run.textMap("result"),
        run.texts("omitted"),
        RaisedError.of(run.object("error")),
        run.integerOrNull("exit_code"),
        run.integerOrNull("signal"),
        run.truth("state_lost"),
        run.duration("duration"));
  }

  /// Whether the cell raised, was interrupted, timed out, or its interpreter died. Warnings are no
  /// errors.
  public boolean hasError() {
    return outcome == Outcome.EXITED
        ? stateLost || exitCode == null || exitCode != 0
        : outcome != Outcome.OK;
  }

  /// The same in the words of the original clients: `success` or `error`.
  public String status() {
    return hasError() ? "error" : "success";
  }

  /// Whether the time limit ended it.
  public boolean timedOut() {
    return outcome == Outcome.TIMED_OUT;
  }

  /// Standard output, then the last expression's value; trailing white space is left out.
  public String output() {
    return joined(stdout, result.get("text/plain"));
  }

  /// Standard error, and the traceback of what was raised; trailing white space is left out.
  public String error() {
    return joined(stderr, raised == null ? null : raised.traceback());
  }

  private static String joined(String written, @Nullable String last) {
    if (last == null) {
      return written.stripTrailing();
    }
    String border = written.isEmpty() || written.endsWith("\n") ? "" : "\n";
    return (written + border + last).stripTrailing();
  }
}
