package dev.microsandbox.engine;

import dev.microsandbox.agent.OutboundHandler;
import dev.microsandbox.agent.OutboundStream;
import dev.microsandbox.model.ByteSize;
import dev.microsandbox.model.Digest;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.ImageReference;
import dev.microsandbox.model.Language;
import dev.microsandbox.model.Limits;
import dev.microsandbox.model.NetworkPolicy;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxName;
import dev.microsandbox.model.SandboxSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// An engine on a fake host, with a real database in a folder of its own.
final class EngineFixture implements AutoCloseable {
  static final Caller ME = Caller.LOCAL;
  static final Duration PATIENCE = Duration.ofSeconds(60);

  final FakeHost host;
  final TestClock clock;
  final Path home;
  final Map<String, String> settings;
  final Engine engine;

  EngineFixture(Path home) {
    this(home, new FakeHost(), new TestClock(), Map.of());
  }

  EngineFixture(Path home, Map<String, String> settings) {
    this(home, new FakeHost(), new TestClock(), settings);
  }

  EngineFixture(Path home, FakeHost host, TestClock clock, Map<String, String> settings) {
    this.home = home;
    this.host = host;
    this.clock = clock;
    this.settings = settings;
    this.engine = Engine.open(settings(home, settings), parts());
  }

  /// The background sweep is far off: tests sweep by hand.
  private static EngineSettings settings(Path home, Map<String, String> changes) {
    Map<String, String> all = new HashMap<>();
    all.put("sweep-interval", "3600");
    all.put("interrupt-grace", "0.2");
    all.put("agent-patience", "0.3");
    all.put("adopt-timeout", "0.5");
    all.put("redial-timeout", "0.3");
    all.put("stop-timeout", "0.5");
    all.put("connect-timeout", "0.5");
    all.put("busy-timeout", "5");
    all.put("pool", "off");
    all.putAll(changes);
    return EngineSettings.of(home, all);
  }

  Engine.Parts parts() {
    return new Engine.Parts(
        List.of(host),
        new FakeImages(),
        (id, _, ears, timeout) -> host.connect(id, ears, timeout),
        (_, _) -> new FakeNetwork(),
        clock,
        () -> host.memoryIsShort);
  }

  /// A server that was killed, and its successor: the same host, a copy of the database as it lies
  /// on the disk, no memory.
  EngineFixture afterKill(Path newHome) {
    return afterKill(newHome, _ -> {});
  }

  /// The same on a host that is prepared for the successor.
  EngineFixture afterKill(Path newHome, Consumer<FakeHost> prepared) {
    return afterKill(newHome, prepared, settings);
  }

  /// The same with other settings for the successor.
  EngineFixture afterKill(Path newHome, Consumer<FakeHost> prepared, Map<String, String> settings) {
    try {
      for (String name : List.of("microsandbox.db", "microsandbox.db-wal")) {
        Path file = home.resolve(name);
        if (Files.exists(file)) {
          Files.copy(file, newHome.resolve(name));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    host.hooks.clear();
    prepared.accept(host);
    return new EngineFixture(newHome, host, clock, settings);
  }

  static SandboxSpec spec(String name) {
    return spec(name, true);
  }

  static SandboxSpec spec(String name, boolean ephemeral) {
    return spec(ME.owner(), name, ephemeral, null);
  }

  static SandboxSpec spec(
      String owner, String name, boolean ephemeral, @Nullable Duration timeToLive) {
    return new SandboxSpec(
        owner,
        SandboxSpec.DEFAULT_NAMESPACE,
        new SandboxName(name),
        ImageReference.PYTHON,
        null,
        Limits.DEFAULT,
        Map.of("A", "b"),
        Map.of("team", "x"),
        NetworkPolicy.PUBLIC,
        timeToLive,
        SandboxSpec.DEFAULT_IDLE_TIMEOUT,
        ephemeral);
  }

  SandboxRef create(String name) {
    return SandboxRef.of(engine.create(ME, spec(name)).id());
  }

  SandboxRef createLasting(String name) {
    return SandboxRef.of(engine.create(ME, spec(name, false)).id());
  }

  FakeHost.FakeSandbox sandbox(SandboxRef ref) {
    FakeHost.FakeSandbox found = host.running.get(engine.get(ME, ref).id());
    if (found == null) {
      throw new AssertionError("not running on the host");
    }
    return found;
  }

  RunResult run(SandboxRef ref, String code) throws InterruptedException {
    return engine.run(ME, ref, RunRequest.of("python", code)).await();
  }

  static void until(BooleanSupplier claim) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!claim.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("it has not come about in time");
      }
      Thread.sleep(5);
    }
  }

  @Override
  public void close() {
    engine.close();
  }

  /// One image with Python.
  static final class FakeImages implements RootfsSource {
    private static final Digest DIGEST = new Digest("ab".repeat(32));

    @Override
    public Rootfs resolve(ImageReference name) {
      if (!name.equals(ImageReference.PYTHON)) {
        throw new SandboxException(ErrorCode.IMAGE_NOT_FOUND, "build it first");
      }
      return new Rootfs(info(), Path.of("/nowhere/rootfs.erofs"), Map.of("PATH", "/usr/bin"));
    }

    @Override
    public Rootfs resolve(ImageReference name, Digest digest) {
      return resolve(name);
    }

    @Override
    public List<ImageInfo> list() {
      return List.of(info());
    }

    private static ImageInfo info() {
      return new ImageInfo(
          ImageReference.PYTHON,
          DIGEST,
          ByteSize.ofMib(1),
          List.of(Language.PYTHON),
          Instant.EPOCH);
    }
  }

  /// Tells of a mirror under any policy.
  private static final class FakeNetwork implements EgressFactory.SandboxNetwork {
    @Override
    public OutboundHandler outbound() {
      return new NoOutbound();
    }

    @Override
    public EgressFactory.Provision apply(NetworkPolicy policy) {
      return new EgressFactory.Provision(
          policy == NetworkPolicy.PUBLIC,
          Map.of("PIP_INDEX_URL", "https://mirror.example/simple"),
          Map.of(),
          new byte[0],
          List.of());
    }
  }

  private static final class NoOutbound implements OutboundHandler {
    @Override
    public void onConnect(InetAddress address, int port, OutboundStream stream) {
      stream.refuse(OutboundStream.Refusal.DENIED);
    }

    @Override
    public void onDnsQuery(byte[] message, boolean tcp, DnsReply reply) {
      reply.answer(new byte[0]);
    }

    @Override
    public void onChannelEnded() {}
  }
}
