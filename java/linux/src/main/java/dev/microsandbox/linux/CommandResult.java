package dev.microsandbox.linux;

/// How a program of the host ended.
///
/// @param exitCode its own, or 128 and the number of the signal that ended it
/// @param timedOut whether it was killed at its deadline
/// @param output of its standard output, as UTF-8
/// @param error of its standard error, as UTF-8
public record CommandResult(
    String command, int exitCode, boolean timedOut, String output, String error) {
  private static final int SHOWN = 2_000;

  public boolean succeeded() {
    return exitCode == 0 && !timedOut;
  }

  /// This, where it succeeded.
  ///
  /// @throws LinuxException with the end of what the program said, where it failed
  public CommandResult orThrow() throws LinuxException {
    if (succeeded()) {
      return this;
    }
    String said = (error.isBlank() ? output : error).strip();
    String end = said.length() <= SHOWN ? said : said.substring(said.length() - SHOWN);
    String how = timedOut ? "did not end in time" : "ended with " + exitCode;
    throw new LinuxException(command + " " + how + (end.isEmpty() ? "" : ": " + end));
  }
}
