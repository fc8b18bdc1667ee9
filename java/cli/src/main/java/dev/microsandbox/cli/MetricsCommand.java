package dev.microsandbox.cli;

import dev.microsandbox.MetricsData;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// What sandboxes use.
@Command(
    name = "metrics",
    description = "Shows what sandboxes use, by this machine's count.",
    footer = {"", "Example:", "  msb metrics demo"})
final class MetricsCommand extends SandboxCommand {
  private static final double MEBIBYTE = 1 << 20;

  @Parameters(arity = "1..*", paramLabel = "SANDBOX", description = "Names or ids.")
  List<String> sandboxes;

  @Option(names = "--json", description = "As JSON, sizes in bytes.")
  boolean json;

  @Override
  public Integer call() {
    List<MetricsData> all = sandboxes.stream().map(name -> sandbox(name).metrics().all()).toList();
    if (json) {
      JsonOutput.print(session.out(), all);
      return ExitCode.OK;
    }
    Table table = new Table("NAME", "RUNNING", "CPU", "MEMORY", "PROCESSES", "DISK");
    for (MetricsData used : all) {
      table.row(
          used.name(),
          used.running() ? "yes" : "no",
          String.format(Locale.ROOT, "%.1f %%", used.cpuPercent()),
          mebibytes(used.memoryBytes()),
          used.processes(),
          mebibytes(used.diskBytes()));
    }
    table.print(session.out());
    return ExitCode.OK;
  }

  private static String mebibytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f MiB", bytes / MEBIBYTE);
  }
}
