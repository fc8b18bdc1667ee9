package dev.microsandbox;

import org.jspecify.annotations.Nullable;

/// What a cell raised, or why it ended otherwise.
///
/// @param name of the exception's type
/// @param message its text
/// @param traceback where it came from, line by line
public record RaisedError(String name, String message, String traceback) {
  static @Nullable RaisedError of(JsonObject error) {
    return error.isEmpty()
        ? null
        : new RaisedError(error.text("name"), error.text("message"), error.text("traceback"));
  }
}
