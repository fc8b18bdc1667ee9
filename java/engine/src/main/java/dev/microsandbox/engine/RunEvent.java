package dev.microsandbox.engine;

import dev.microsandbox.model.Outcome;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What happens to a cell or command, in order. [Finished] comes last, once, whatever happens.
public sealed interface RunEvent {

  /// It runs now. May be missing where it ended before it began.
  record Started() implements RunEvent {}

  /// Bytes as they were written.
  ///
  /// @param offset of the first byte, counted over both outputs together; to attach there again,
  ///   use the offset after the last byte
  record Output(Source source, byte[] bytes, long offset) implements RunEvent {
    /// Where to attach to get what comes after this.
    public long end() {
      return offset + bytes.length;
    }
  }

  /// The value of the last expression, or something displayed.
  record Result(Map<String, String> data, List<String> omitted) implements RunEvent {}

  /// What the cell raised.
  record Raised(RunResult.RunError error) implements RunEvent {}

  /// The end; the fields are those of [RunResult].
  record Finished(
      Outcome outcome,
      @Nullable Integer exitCode,
      @Nullable Integer signal,
      boolean stateLost,
      Duration duration)
      implements RunEvent {}

  /// Which output a program wrote to.
  enum Source {
    STDOUT,
    STDERR
  }
}
