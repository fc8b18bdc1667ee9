package dev.microsandbox;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What happens in a cell or command, in order.
public sealed interface RunEvent {
  /// It has begun.
  record Started(String id) implements RunEvent {}

  /// It wrote something; the bytes as they are.
  ///
  /// @param error whether to standard error
  record Output(boolean error, byte[] bytes) implements RunEvent {}

  /// The last expression's value by MIME type.
  record Value(Map<String, String> data) implements RunEvent {}

  /// A cell raised.
  record Raised(RunResult.RaisedError error) implements RunEvent {}

  /// It is over; nothing follows.
  record Finished(
      String outcome,
      boolean hasError,
      @Nullable Integer exitCode,
      @Nullable Integer signal,
      boolean stateLost)
      implements RunEvent {}
}
