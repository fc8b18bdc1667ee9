package dev.microsandbox.cli;

import dev.microsandbox.SandboxClient;
import dev.microsandbox.SandboxClient.SandboxRef;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// Ends sandboxes' processes.
@Command(
    name = "stop",
    description = "Ends sandboxes' processes and keeps their disks; an ephemeral one is removed.",
    footer = {"", "Example:", "  msb stop demo"})
final class StopCommand extends SessionCommand {
  @Parameters(arity = "1..*", paramLabel = "SANDBOX", description = "Names or ids.")
  List<String> sandboxes;

  @Override
  public Integer call() {
    try (SandboxClient client = session.connect()) {
      for (String sandbox : sandboxes) {
        client.stop(SandboxRef.of(sandbox));
        session.out().println(Table.printable(sandbox));
      }
      return ExitCode.OK;
    }
  }
}
