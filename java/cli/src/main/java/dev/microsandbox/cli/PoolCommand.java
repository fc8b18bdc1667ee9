package dev.microsandbox.cli;

import dev.microsandbox.PoolInfo;
import dev.microsandbox.PoolSize;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Sandboxes that the server keeps ready.
@Command(
    name = "pool",
    description = "Lists and sizes the pools of sandboxes that the server keeps ready.",
    subcommands = {PoolCommand.List_.class, PoolCommand.Set_.class})
final class PoolCommand {
  private PoolCommand() {}

  @Command(
      name = "ls",
      description = "Lists the pools: what is ready, and how often that was of use.",
      footer = {"", "Example:", "  msb pool ls --json"})
  static final class List_ extends SessionCommand {
    @Option(names = "--json", description = "As JSON.")
    boolean json;

    @Override
    public Integer call() {
      List<PoolInfo> pools = session.connect().administration().pools();
      if (json) {
        JsonOutput.print(session.out(), pools);
      } else {
        print(session, pools);
      }
      return ExitCode.OK;
    }
  }

  @Command(
      name = "set",
      description = {
        "Sets how many sandboxes of a kind are kept ready, beyond the server's end.",
        "A creation claims one where image, isolation and all sizes are the same."
      },
      footer = {
        "",
        "Examples:",
        "  msb pool set python --minimum 4 --maximum 20",
        "  msb pool set node --memory 256m --minimum 1",
        "  msb pool set python --minimum 0        on demand alone, as if nothing was set"
      })
  static final class Set_ extends SessionCommand {
    @Parameters(paramLabel = "IMAGE", description = "Such as python or node.")
    String image;

    @Option(
        names = "--minimum",
        paramLabel = "N",
        required = true,
        description = "Kept whatever the demand is.")
    int minimum;

    @Option(
        names = "--maximum",
        paramLabel = "N",
        description = "Kept at most (the server's pool-max).")
    @Nullable Integer maximum;

    @Option(
        names = "--isolation",
        paramLabel = "KIND",
        description = "auto (the default), container, gvisor or microvm.")
    @Nullable String isolation;

    @Option(
        names = {"-m", "--memory"},
        paramLabel = "SIZE",
        converter = SizeConverter.class,
        description = "Memory limit of each, such as 512m or 2g (512m).")
    @Nullable Integer memory;

    @Option(names = "--cpus", paramLabel = "N", description = "CPUs of each (1).")
    @Nullable Double cpus;

    @Option(names = "--processes", paramLabel = "N", description = "Processes of each (512).")
    @Nullable Integer processes;

    @Option(
        names = "--disk",
        paramLabel = "SIZE",
        converter = SizeConverter.class,
        description = "Disk limit of each (4g).")
    @Nullable Integer disk;

    @Option(names = "--json", description = "As JSON.")
    boolean json;

    @Override
    public Integer call() {
      PoolInfo pool =
          session
              .connectOrStart()
              .administration()
              .setPool(
                  new PoolSize(image, isolation, memory, cpus, processes, disk, minimum, maximum));
      if (json) {
        JsonOutput.print(session.out(), pool);
      } else {
        print(session, List.of(pool));
      }
      return ExitCode.OK;
    }
  }

  private static void print(Session session, List<PoolInfo> pools) {
    Table table =
        new Table(
            "IMAGE",
            "ISOLATION",
            "MEMORY",
            "CPUS",
            "READY",
            "STARTING",
            "TARGET",
            "MIN",
            "MAX",
            "HITS",
            "WAITS",
            "MISSES",
            "TROUBLE");
    for (PoolInfo pool : pools) {
      PoolInfo.Trouble trouble = pool.trouble();
      table.row(
          pool.image(),
          pool.isolation(),
          pool.memory() + " MiB",
          Double.toString(pool.cpus()),
          Integer.toString(pool.ready()),
          Integer.toString(pool.starting()),
          Integer.toString(pool.target()),
          Integer.toString(pool.minimum()),
          Integer.toString(pool.maximum()),
          Long.toString(pool.hits()),
          Long.toString(pool.waits()),
          Long.toString(pool.misses()),
          trouble == null ? "" : trouble.message());
    }
    table.print(session.out());
  }
}
