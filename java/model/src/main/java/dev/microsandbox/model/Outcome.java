package dev.microsandbox.model;

import java.util.Locale;

/// How a cell's run or a command ended. These are values, not errors.
public enum Outcome {
  /// A cell ended normally.
  OK,
  /// A cell raised.
  ERROR,
  /// A caller interrupted it, or its client went away.
  INTERRUPTED,
  /// Its time was up.
  TIMED_OUT,
  /// A command ended, or a cell called exit, with an exit code.
  EXITED,
  /// Killed by a signal.
  SIGNALED,
  /// Killed for want of memory.
  OUT_OF_MEMORY,
  /// Its sandbox ended before it did.
  SANDBOX_ENDED;

  public String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
