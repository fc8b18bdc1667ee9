package dev.microsandbox.engine;

import dev.microsandbox.agent.AgentChannels;
import dev.microsandbox.egress.Egress;
import dev.microsandbox.egress.EgressSettings;
import dev.microsandbox.images.ImageStore;
import dev.microsandbox.isolation.TestParts;
import dev.microsandbox.isolation.oci.ContainerDriver;
import dev.microsandbox.isolation.oci.ContainerSettings;
import dev.microsandbox.model.ByteSize;
import dev.microsandbox.model.ImageReference;
import dev.microsandbox.model.Limits;
import dev.microsandbox.model.NetworkPolicy;
import dev.microsandbox.model.SandboxName;
import dev.microsandbox.model.SandboxSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// An engine on this host: the container driver, the built agent, the default images. Needs root.
final class RealEngine implements AutoCloseable {
  static final Caller ME = Caller.LOCAL;

  /// Away from the ids of a server that may run beside the tests.
  private static final Map<String, String> SETTINGS =
      Map.of(
          "id-range-start", "0x30000000", "id-ranges", "64", "max-sandboxes", "20", "pool", "off");

  final Engine engine;
  private final AgentChannels channels = AgentChannels.open();
  private final Egress egress = Egress.open(EgressSettings.ofHost());

  RealEngine(Path home) {
    this(home, Map.of());
  }

  RealEngine(Path home, Map<String, String> changes) {
    this(home, home.resolve("r"), changes);
  }

  /// @param sockets a folder for what a server has in `/run`
  RealEngine(Path home, Path sockets, Map<String, String> changes) {
    Map<String, String> settings = new HashMap<>(SETTINGS);
    settings.putAll(changes);
    String store = System.getenv().getOrDefault("MICROSANDBOX_HOME", "/var/lib/microsandbox");
    engine =
        Engine.open(
            EngineSettings.of(home, settings),
            new Engine.Parts(
                List.of(
                    ContainerDriver.open(
                        ContainerSettings.of(home, TestParts.agent()).withSockets(sockets))),
                new StoredImages(ImageStore.open(Path.of(store, "images"))),
                AgentConnector.of(channels),
                EgressFactory.of(egress),
                EngineClock.system(),
                () -> false));
  }

  static Path newHome() {
    try {
      return TestParts.newHome();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static SandboxSpec spec(String name, ImageReference image, boolean ephemeral) {
    return new SandboxSpec(
        ME.owner(),
        SandboxSpec.DEFAULT_NAMESPACE,
        new SandboxName(name),
        image,
        null,
        new Limits(ByteSize.ofMib(256), 1, 100, ByteSize.ofMib(256)),
        Map.of("GREETING", "hello"),
        Map.of(),
        NetworkPolicy.PUBLIC,
        null,
        Duration.ofHours(1),
        ephemeral);
  }

  SandboxRef create(String name, boolean ephemeral) {
    return SandboxRef.of(engine.create(ME, spec(name, ImageReference.PYTHON, ephemeral)).id());
  }

  RunResult python(SandboxRef sandbox, String code) throws InterruptedException {
    return engine.run(ME, sandbox, RunRequest.of("python", code)).await();
  }

  RunResult python(SandboxRef sandbox, String code, Duration timeout) throws InterruptedException {
    return engine.run(ME, sandbox, new RunRequest("python", code, timeout, false, null)).await();
  }

  RunResult command(SandboxRef sandbox, String... argv) throws InterruptedException {
    return engine.command(ME, sandbox, CommandRequest.of(argv)).await();
  }

  @Override
  public void close() {
    engine.close();
    egress.close();
    channels.close();
  }
}
