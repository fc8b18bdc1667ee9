package dev.microsandbox.cli;

import dev.microsandbox.SandboxInfo;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// The list of sandboxes.
@Command(
    name = "ps",
    aliases = "ls",
    description = "Lists sandboxes, the oldest first.",
    footer = {"", "Example:", "  msb ps --json"})
final class PsCommand extends SessionCommand {
  @Option(names = "--namespace", description = "Only this one's.")
  @Nullable String namespace;

  @Option(
      names = {"-l", "--label"},
      paramLabel = "NAME=VALUE",
      description = "Only those that have it.")
  Map<String, String> labels = new LinkedHashMap<>();

  @Option(names = "--json", description = "As JSON.")
  boolean json;

  @Override
  public Integer call() {
    List<SandboxInfo> all = session.connect().sandboxes(namespace, labels);
    if (json) {
      JsonOutput.print(session.out(), all);
      return ExitCode.OK;
    }
    Table table = new Table("NAME", "ID", "IMAGE", "STATE", "ISOLATION", "MEMORY", "CPUS", "AGE");
    for (SandboxInfo s : all) {
      table.row(
          s.name(),
          s.id(),
          s.image(),
          s.state(),
          s.isolation(),
          s.memory() + " MiB",
          s.cpus(),
          Ages.since(s.createdAt()));
    }
    table.print(session.out());
    return ExitCode.OK;
  }
}
