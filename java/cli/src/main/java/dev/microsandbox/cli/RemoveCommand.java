package dev.microsandbox.cli;

import dev.microsandbox.SandboxClient;
import dev.microsandbox.SandboxClient.SandboxRef;
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
    try (SandboxClient client = session.connect()) {
      for (String sandbox : sandboxes) {
        client.delete(SandboxRef.of(sandbox));
        session.out().println(Table.printable(sandbox));
      }
      return ExitCode.OK;
    }
  }
}
