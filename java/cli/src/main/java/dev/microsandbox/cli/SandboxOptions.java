package dev.microsandbox.cli;

import dev.microsandbox.ImageSandbox;
import dev.microsandbox.SandboxBuilder;
import dev.microsandbox.Server;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// What a new sandbox may be given, shared by `run` and `create`.
final class SandboxOptions {
  @Option(names = "--name", description = "Its name; one is made up otherwise.")
  @Nullable String name;

  @Option(names = "--namespace", description = "In which its name is unique (default).")
  @Nullable String namespace;

  @Option(
      names = "--isolation",
      paramLabel = "KIND",
      description = "auto (the default), container, gvisor or microvm.")
  @Nullable String isolation;

  @Option(
      names = {"-m", "--memory"},
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "Memory limit, such as 512m or 2g (512m).")
  @Nullable Integer memory;

  @Option(names = "--cpus", paramLabel = "N", description = "CPUs, such as 0.5 (1).")
  @Nullable Double cpus;

  @Option(names = "--processes", paramLabel = "N", description = "Processes at once (512).")
  @Nullable Integer processes;

  @Option(
      names = "--disk",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "Disk limit (4g).")
  @Nullable Integer disk;

  @Option(
      names = {"-e", "--env"},
      paramLabel = "NAME=VALUE",
      description = "Environment of everything that runs in it; NAME alone passes on this shell's.")
  Map<String, String> environment = new LinkedHashMap<>();

  @Option(
      names = {"-l", "--label"},
      paramLabel = "NAME=VALUE",
      description = "A label.")
  Map<String, String> labels = new LinkedHashMap<>();

  @Option(names = "--network", paramLabel = "POLICY", description = "public (the default) or none.")
  @Nullable String network;

  @Option(
      names = "--time-to-live",
      paramLabel = "TIME",
      converter = SecondsConverter.class,
      description = "It ends after this time whatever happens.")
  @Nullable Duration timeToLive;

  @Option(
      names = "--idle-timeout",
      paramLabel = "TIME",
      converter = SecondsConverter.class,
      description = "It is stopped when unused for so long; 0 for never (1h).")
  @Nullable Duration idleTimeout;

  /// A sandbox with these options.
  SandboxBuilder<ImageSandbox> builder(Server server, String image, boolean ephemeral) {
    SandboxBuilder<ImageSandbox> builder =
        ImageSandbox.builder()
            .server(server)
            .image(image)
            .ephemeral(ephemeral)
            .env(environment)
            .labels(labels);
    given(name, builder::name);
    given(namespace, builder::namespace);
    given(isolation, builder::isolation);
    given(memory, builder::memory);
    given(cpus, builder::cpus);
    given(processes, builder::processes);
    given(disk, builder::disk);
    given(network, builder::network);
    given(timeToLive, builder::timeToLive);
    given(idleTimeout, builder::idleTimeout);
    return builder;
  }

  private static <T> void given(@Nullable T value, Consumer<T> setter) {
    if (value != null) {
      setter.accept(value);
    }
  }
}
