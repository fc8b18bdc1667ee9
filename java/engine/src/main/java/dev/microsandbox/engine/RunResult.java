package dev.microsandbox.engine;

import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.Outcome;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// How a cell's run or a command ended, with what it wrote.
///
/// @param context of a cell; empty for a command
/// @param result the value of the last expression by MIME type; empty where there is none
/// @param omitted MIME types left out of `result` for their size
/// @param error what the cell raised; null where nothing was
/// @param exitCode for [Outcome#EXITED]; else null
/// @param signal for [Outcome#SIGNALED] and [Outcome#OUT_OF_MEMORY]; else null
/// @param stateLost the interpreter died with all its variables; a new one was started
/// @param duration by the host's monotonic clock, without waiting for the context
public record RunResult(
    ObjectId id,
    String context,
    Outcome outcome,
    CollectedText stdout,
    CollectedText stderr,
    Map<String, String> result,
    List<String> omitted,
    @Nullable RunError error,
    @Nullable Integer exitCode,
    @Nullable Integer signal,
    boolean stateLost,
    Duration duration) {

  public RunResult {
    result = Map.copyOf(result);
    omitted = List.copyOf(omitted);
  }

  /// Whether the cell raised, was interrupted, timed out, or its interpreter died; or a command
  /// ended otherwise than with exit code 0. Text on stderr alone is no error.
  public boolean hasError() {
    return switch (outcome) {
      case OK -> false;
      case EXITED -> stateLost || exitCode == null || exitCode != 0;
      case ERROR, INTERRUPTED, TIMED_OUT, SIGNALED, OUT_OF_MEMORY, SANDBOX_ENDED -> true;
    };
  }

  /// What was written to one output: all of it, or its first and last part with a mark between.
  ///
  /// @param text decoded as UTF-8, what is not valid replaced by U+FFFD
  /// @param leftOut bytes that are not in the text
  public record CollectedText(String text, long leftOut) {
    public static final CollectedText EMPTY = new CollectedText("", 0);

    public boolean truncated() {
      return leftOut > 0;
    }
  }

  /// What a cell raised.
  ///
  /// @param traceback as it would be printed, the cell's own lines only
  public record RunError(String name, String message, String traceback) {}
}
