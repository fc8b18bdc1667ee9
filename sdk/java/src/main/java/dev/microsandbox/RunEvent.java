package dev.microsandbox;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One thing that happened in a cell or a command, in order.
public sealed interface RunEvent {
  /// It runs now. May be missing where it ended before it began.
  ///
  /// @param id of the run on the server
  record Started(String id) implements RunEvent {}

  /// Output, as it comes. How it is cut into events says nothing.
  sealed interface Output extends RunEvent {
    /// Its characters. One that is cut by the border of two events is whole in the later one; what
    /// is not UTF-8 is replaced by U+FFFD.
    String text();

    /// What was written, as it was written.
    byte[] bytes();

    /// Where to attach to the run to get what comes after this.
    long offset();
  }

  /// Something on standard output.
  record Stdout(String text, byte[] bytes, long offset) implements Output {}

  /// Something on standard error.
  record Stderr(String text, byte[] bytes, long offset) implements Output {}

  /// The value of the last expression, or something displayed.
  ///
  /// @param data by MIME type, `text/plain` among them; binary ones in base64
  /// @param omitted MIME types left out for their size
  record Result(Map<String, String> data, List<String> omitted) implements RunEvent {}

  /// What the cell raised.
  record Raised(RaisedError error) implements RunEvent {}

  /// The end; nothing follows.
  ///
  /// @param exitCode for the outcome [Outcome#EXITED]
  /// @param signal for the outcomes [Outcome#SIGNALED] and [Outcome#OUT_OF_MEMORY]
  /// @param stateLost the interpreter died with all its variables; a new one was started
  /// @param duration without waiting for the context
  record Finished(
      Outcome outcome,
      boolean hasError,
      @Nullable Integer exitCode,
      @Nullable Integer signal,
      boolean stateLost,
      Duration duration)
      implements RunEvent {}
}
