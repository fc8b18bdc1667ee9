package dev.microsandbox.cli;

import dev.microsandbox.ImageSandbox;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// A sandbox that stays.
@Command(
    name = "create",
    description = "Creates a sandbox that stays until it is removed, and prints its name.",
    footer = {"", "Example:", "  msb create --name demo --memory 1g python"})
final class CreateCommand extends SessionCommand {
  @Mixin SandboxOptions options;

  @Parameters(paramLabel = "IMAGE", description = "python, node, or another image's name.")
  String image;

  @Option(names = "--ephemeral", description = "Remove it when it is stopped.")
  boolean ephemeral;

  @Option(names = "--json", description = "Print all that is known of it as JSON.")
  boolean json;

  @Override
  public Integer call() {
    ImageSandbox made = options.builder(session.connectOrStart(), image, ephemeral).create();
    if (json) {
      JsonOutput.print(session.out(), made.info());
    } else {
      session.out().println(Table.printable(made.name()));
    }
    return ExitCode.OK;
  }
}
