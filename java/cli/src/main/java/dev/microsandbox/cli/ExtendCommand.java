package dev.microsandbox.cli;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Changes how long sandboxes live.
@Command(
    name = "extend",
    description = "Changes how long sandboxes live; without options it counts as use.",
    footer = {"", "Example:", "  msb extend --time-to-live 1h demo"})
final class ExtendCommand extends SandboxCommand {
  @Parameters(arity = "1..*", paramLabel = "SANDBOX", description = "Names or ids.")
  List<String> sandboxes;

  @Option(
      names = "--time-to-live",
      paramLabel = "TIME",
      converter = SecondsConverter.class,
      description = "It ends after this time from now; 0 for no limit.")
  @Nullable Duration timeToLive;

  @Option(
      names = "--idle-timeout",
      paramLabel = "TIME",
      converter = SecondsConverter.class,
      description = "It is stopped when unused for so long; 0 for never.")
  @Nullable Duration idleTimeout;

  @Override
  public Integer call() {
    for (String name : sandboxes) {
      sandbox(name).extend(timeToLive, idleTimeout);
      session.out().println(Table.printable(name));
    }
    return ExitCode.OK;
  }
}
