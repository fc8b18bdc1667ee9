package dev.microsandbox.cli;

import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// Removes sandboxes.
@Command(
    name = "rm",
    description = "Removes sandboxes with all that is in them, running or not.",
    footer = {"", "Example:", "  msb rm demo"})
final class RemoveCommand extends SandboxCommand {
  @Parameters(arity = "1..*", paramLabel = "SANDBOX", description = "Names or ids.")
  List<String> sandboxes;

  @Override
  public Integer call() {
    for (String name : sandboxes) {
      sandbox(name).delete();
      session.out().println(Table.printable(name));
    }
    return ExitCode.OK;
  }
}
