package dev.microsandbox;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a command came to.
///
/// @param command the program
/// @param args its arguments
/// @param runId the run's id on the server
/// @param outcome how it ended
/// @param exitCode 128 and the signal's number where a signal ended it, -1 where there is none
/// @param stdout what was written to standard output, as it was written
/// @param stderr what was written to standard error, as it was written
/// @param leftOut bytes of output past the limit that are not in `stdout` and `stderr`, where a
///   mark stands for them
/// @param duration that it ran, by the server's clock
public record CommandExecution(
    String command,
    List<String> args,
    String runId,
    Outcome outcome,
    int exitCode,
    String stdout,
    String stderr,
    long leftOut,
    Duration duration) {
  private static final int SIGNAL_BASE = 128;

  static CommandExecution of(String command, List<String> args, JsonObject run) {
    return new CommandExecution(
        command,
        List.copyOf(args),
        run.text("id"),
        Outcome.of(run.text("outcome")),
        exitCode(run.integerOrNull("exit_code"), run.integer("signal")),
        run.text("stdout"),
        run.text("stderr"),
        run.whole("stdout_left_out") + run.whole("stderr_left_out"),
        run.duration("duration"));
  }

  private static int exitCode(@Nullable Integer code, int signal) {
    if (code != null) {
      return code;
    }
    return signal == 0 ? -1 : SIGNAL_BASE + signal;
  }

  /// Whether it exited with 0.
  public boolean success() {
    return outcome == Outcome.EXITED && exitCode == 0;
  }

  /// Whether the time limit ended it.
  public boolean timedOut() {
    return outcome == Outcome.TIMED_OUT;
  }

  /// Standard output without trailing white space.
  public String output() {
    return stdout.stripTrailing();
  }

  /// Standard error without trailing white space.
  public String error() {
    return stderr.stripTrailing();
  }
}
