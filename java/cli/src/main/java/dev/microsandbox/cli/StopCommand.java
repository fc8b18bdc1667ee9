package dev.microsandbox.cli;

import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// Ends sandboxes' processes.
@Command(
    name = "stop",
    description = "Ends sandboxes' processes and keeps their disks; an ephemeral one is removed.",
    footer = {"", "Example:", "  msb stop demo"})
final class StopCommand extends SandboxCommand {
  @Parameters(arity = "1..*", paramLabel = "SANDBOX", description = "Names or ids.")
  List<String> sandboxes;

  @Override
  public Integer call() {
    for (String name : sandboxes) {
      sandbox(name).stop();
      session.out().println(Table.printable(name));
    }
    return ExitCode.OK;
  }
}
