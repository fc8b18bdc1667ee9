package dev.microsandbox.cli;

import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// Removes sandboxes.
@Command(
    name = "rm",
    description = "Removes sandboxes with all that is in them, running or not.",
    footer = {"", "Example:", "  msb rm demo"})
final class RemoveCommand extends SessionCommand {
  @Parameters(arity = "1..*", paramLabel = "SANDBOX", description = "Names or ids.")
  List<String> sandboxes;

  @Override
  public Integer call() {
    for (String sandbox : sandboxes) {
      session.sandbox(sandbox).delete();
      session.out().println(Table.printable(sandbox));
    }
    return ExitCode.OK;
  }
}
