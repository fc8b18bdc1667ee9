package dev.microsandbox.cli;

import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// Runs stopped sandboxes again.
@Command(
    name = "start",
    description = "Runs stopped sandboxes again, with their disks and fresh interpreters.",
    footer = {"", "Example:", "  msb start demo"})
final class StartCommand extends SandboxCommand {
  @Parameters(arity = "1..*", paramLabel = "SANDBOX", description = "Names or ids.")
  List<String> sandboxes;

  @Override
  public Integer call() {
    for (String name : sandboxes) {
      sandbox(name).start();
      session.out().println(Table.printable(name));
    }
    return ExitCode.OK;
  }
}
