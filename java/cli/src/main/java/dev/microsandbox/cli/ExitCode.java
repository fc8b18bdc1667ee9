package dev.microsandbox.cli;

import dev.microsandbox.ErrorCode;
import dev.microsandbox.RunEvent;

/// What `msb` exits with. A contract: scripts rely on it, `msb --help` lists it.
final class ExitCode {
  static final int OK = 0;

  /// The code that was run raised; or the server refused.
  static final int FAILED = 1;

  /// The command line makes no sense.
  static final int USAGE = 2;

  /// `server status`: no server runs.
  static final int NOT_RUNNING = 3;

  /// The time limit was over.
  static final int TIMED_OUT = 124;

  /// `run` and `exec`: msb or the server failed, as opposed to what was run.
  static final int MSB_FAILED = 125;

  static final int NOT_EXECUTABLE = 126;
  static final int NOT_FOUND = 127;
  private static final int SIGNAL_BASE = 128;
  private static final int SIGKILL = 9;

  private ExitCode() {}

  /// The code for something that has run, as a shell would give it.
  static int of(RunEvent.Finished finished) {
    return switch (finished.outcome()) {
      case OK -> ExitCode.OK;
      case EXITED -> finished.exitCode() == null ? FAILED : finished.exitCode();
      case TIMED_OUT -> ExitCode.TIMED_OUT;
      case SIGNALED, OUT_OF_MEMORY ->
          SIGNAL_BASE + (finished.signal() == null ? SIGKILL : finished.signal());
      case SANDBOX_ENDED -> MSB_FAILED;
      default -> FAILED;
    };
  }

  /// The code for a request of `run` or `exec` that was refused.
  static int ofRefusal(ErrorCode code) {
    return switch (code) {
      case COMMAND_NOT_FOUND -> NOT_FOUND;
      case COMMAND_NOT_EXECUTABLE -> NOT_EXECUTABLE;
      default -> MSB_FAILED;
    };
  }
}
