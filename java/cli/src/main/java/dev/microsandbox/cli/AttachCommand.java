package dev.microsandbox.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// A further view of a cell or command.
@Command(
    name = "attach",
    description = {
      "Shows the output of a cell or command that goes on, or has ended lately, and exits as run and",
      "exec do. To leave does not end it."
    },
    footer = {"", "Example:", "  msb attach demo $(msb exec --detach demo -- sleep 60)"})
final class AttachCommand extends SandboxCommand {
  @Parameters(index = "0", paramLabel = "SANDBOX", description = "Its name or id.")
  String sandbox;

  @Parameters(index = "1", paramLabel = "RUN", description = "The run's id.")
  String run;

  @Option(
      names = "--offset",
      paramLabel = "N",
      description = "Leave out so many bytes of its output (0).")
  long offset;

  @Override
  public Integer call() {
    EventPrinter printer = new EventPrinter(session.out(), session.err());
    return ExitCode.of(sandbox(sandbox).attach(run, offset, printer));
  }
}
