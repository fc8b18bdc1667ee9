package dev.microsandbox;

import java.util.Locale;

/// How a cell or a command ended.
public enum Outcome {
  /// The cell came to its end.
  OK,
  /// The cell raised.
  ERROR,
  /// It was stopped by request.
  INTERRUPTED,
  /// Its time limit was over.
  TIMED_OUT,
  /// It exited with a code.
  EXITED,
  /// A signal ended it.
  SIGNALED,
  /// It was killed for want of memory.
  OUT_OF_MEMORY,
  /// The sandbox ended before it did.
  SANDBOX_ENDED,
  /// An outcome that is newer than this client.
  UNKNOWN;

  /// The outcome as the wire and the other languages have it, `timed_out` for example.
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  static Outcome of(String text) {
    for (Outcome outcome : values()) {
      if (outcome.text().equals(text)) {
        return outcome;
      }
    }
    return UNKNOWN;
  }
}
