package dev.microsandbox.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// Stops a cell or command.
@Command(
    name = "interrupt",
    description = "Stops a cell or command; harmless after its end.",
    footer = {"", "Example:", "  msb interrupt demo $(msb exec --detach demo -- sleep 60)"})
final class InterruptCommand extends SandboxCommand {
  @Parameters(index = "0", paramLabel = "SANDBOX", description = "Its name or id.")
  String sandbox;

  @Parameters(index = "1", paramLabel = "RUN", description = "The run's id.")
  String run;

  @Override
  public Integer call() {
    sandbox(sandbox).interrupt(run);
    return ExitCode.OK;
  }
}
