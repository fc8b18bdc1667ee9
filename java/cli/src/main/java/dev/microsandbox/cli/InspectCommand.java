package dev.microsandbox.cli;

import dev.microsandbox.SandboxInfo;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// All that is known of sandboxes.
@Command(
    name = "inspect",
    description = "Prints all that is known of sandboxes, as JSON.",
    footer = {"", "Example:", "  msb inspect demo"})
final class InspectCommand extends SandboxCommand {
  @Parameters(arity = "1..*", paramLabel = "SANDBOX", description = "Names or ids.")
  List<String> sandboxes;

  @Override
  public Integer call() {
    List<SandboxInfo> known = sandboxes.stream().map(name -> sandbox(name).info()).toList();
    JsonOutput.print(session.out(), known);
    return ExitCode.OK;
  }
}
