package dev.microsandbox.engine;

import dev.microsandbox.agent.AgentTransport;
import dev.microsandbox.isolation.AdoptSpec;
import dev.microsandbox.isolation.Adoption;
import dev.microsandbox.isolation.IsolationDriver;
import dev.microsandbox.isolation.LaunchSpec;
import dev.microsandbox.isolation.ProbeReport;
import dev.microsandbox.isolation.ProcessMark;
import dev.microsandbox.isolation.RunningSandbox;
import dev.microsandbox.isolation.SandboxEnd;
import dev.microsandbox.isolation.Usage;
import dev.microsandbox.model.ByteSize;
import dev.microsandbox.model.IsolationKind;
import dev.microsandbox.model.SandboxId;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A host in memory that outlives engines: what a launch makes stays until somebody removes it.
final class FakeHost implements IsolationDriver {
  /// The steps at which something can be made to happen.
  enum Step {
    LAUNCH,
    LAUNCHED,
    CONNECT,
    CONFIGURE,
    ADOPT,
    KILL,
    KILLED,
    REMOVE,
    REMOVE_DISK,
    DISK_REMOVED
  }

  /// The server dies here, as by kill -9: no handler of the engine's runs.
  static final class Killed extends Error {
    private static final long serialVersionUID = 1;
  }

  final Set<SandboxId> launches = ConcurrentHashMap.newKeySet();
  final Set<SandboxId> disks = ConcurrentHashMap.newKeySet();
  final Map<SandboxId, FakeSandbox> running = new ConcurrentHashMap<>();
  final Map<SandboxId, LaunchSpec> specs = new ConcurrentHashMap<>();
  final Map<Step, Consumer<SandboxId>> hooks = new ConcurrentHashMap<>();
  final AtomicInteger launched = new AtomicInteger();
  volatile boolean usable = true;
  volatile boolean rebooted;
  volatile boolean memoryIsShort;

  /// What happens at a step, from now on.
  void at(Step step, Consumer<SandboxId> hook) {
    hooks.put(step, hook);
  }

  void step(Step step, SandboxId id) {
    hooks.getOrDefault(step, _ -> {}).accept(id);
  }

  @Override
  public IsolationKind kind() {
    return IsolationKind.CONTAINER;
  }

  @Override
  public ProbeReport probe() {
    return new ProbeReport(
        usable, "fake 1.0", Set.of(ProbeReport.Feature.EGRESS_CAPTURE), List.of());
  }

  @Override
  public RunningSandbox launch(LaunchSpec spec) {
    step(Step.LAUNCH, spec.id());
    launched.incrementAndGet();
    disks.add(spec.id());
    launches.add(spec.id());
    specs.put(spec.id(), spec);
    FakeSandbox sandbox = new FakeSandbox(this, spec.id());
    running.put(spec.id(), sandbox);
    step(Step.LAUNCHED, spec.id());
    return sandbox;
  }

  @Override
  public Adoption adopt(AdoptSpec spec) {
    step(Step.ADOPT, spec.id());
    FakeSandbox sandbox = running.get(spec.id());
    if (rebooted) {
      return new Adoption.HostRestarted();
    }
    if (sandbox == null || !sandbox.mark().equals(spec.first())) {
      return new Adoption.Ended(new SandboxEnd(false));
    }
    SandboxEnd unseen = sandbox.unseen;
    return unseen == null ? new Adoption.Alive(sandbox) : new Adoption.Ended(unseen);
  }

  @Override
  public void remove(SandboxId id) {
    step(Step.REMOVE, id);
    launches.remove(id);
    running.remove(id);
  }

  @Override
  public void removeDisk(SandboxId id) {
    step(Step.REMOVE_DISK, id);
    disks.remove(id);
    step(Step.DISK_REMOVED, id);
  }

  @Override
  public Set<SandboxId> leftovers() {
    Set<SandboxId> all = new HashSet<>(launches);
    all.addAll(disks);
    return all;
  }

  @Override
  public void close() {}

  /// By way of [AgentConnector].
  FakeAgent connect(SandboxId id, AgentConnector.Ears ears, Duration timeout) {
    step(Step.CONNECT, id);
    FakeSandbox sandbox = running.get(id);
    if (sandbox == null) {
      throw FakeAgent.lost();
    }
    return sandbox.dial(ears, timeout);
  }

  /// One sandbox on it.
  static final class FakeSandbox implements RunningSandbox {
    private final FakeHost host;
    private final SandboxId id;
    private final long number;
    private final CompletableFuture<SandboxEnd> ended = new CompletableFuture<>();
    final FakeAgent.Inside inside = new FakeAgent.Inside(this);
    final AtomicInteger oomKills = new AtomicInteger();
    private volatile @Nullable FakeAgent agent;
    volatile @Nullable SandboxEnd unseen;
    volatile String hostname = "";
    volatile boolean answers = true;
    volatile boolean endsWhenAsked = true;
    volatile Duration cpuTime = Duration.ZERO;

    FakeSandbox(FakeHost host, SandboxId id) {
      this.host = host;
      this.id = id;
      this.number = host.launched.get();
    }

    FakeHost host() {
      return host;
    }

    @Override
    public ProcessMark mark() {
      return new ProcessMark("fake", 100, number);
    }

    FakeAgent agent() {
      FakeAgent present = agent;
      if (present == null) {
        throw new AssertionError("no agent has dialled yet");
      }
      return present;
    }

    FakeAgent dial(AgentConnector.Ears ears, Duration timeout) {
      if (!answers || ended.isDone()) {
        try {
          Thread.sleep(ended.isDone() ? Duration.ZERO : timeout);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
        throw FakeAgent.lost();
      }
      FakeAgent dialled = new FakeAgent(inside, ears);
      agent = dialled;
      return dialled;
    }

    /// Its first process is gone, and no server is there to see it.
    void endUnseen(boolean outOfMemory) {
      unseen = new SandboxEnd(outOfMemory);
    }

    /// Its first process is gone.
    void end(boolean outOfMemory) {
      ended.complete(new SandboxEnd(outOfMemory));
      FakeAgent last = agent;
      if (last != null) {
        last.cut();
      }
    }

    @Override
    public SandboxId id() {
      return id;
    }

    @Override
    public AgentTransport transport() {
      return new AgentTransport() {
        @Override
        public SocketChannel next(Duration timeout) throws IOException {
          throw new IOException("the fake agent needs no socket");
        }

        @Override
        public byte[] secret() {
          return new byte[0];
        }

        @Override
        public void close() {}
      };
    }

    @Override
    public CompletableFuture<SandboxEnd> ended() {
      return ended;
    }

    @Override
    public CompletableFuture<Void> setHostname(String name) {
      hostname = name;
      return CompletableFuture.completedFuture(null);
    }

    @Override
    public Usage usage() {
      return new Usage(cpuTime, ByteSize.ofMib(20), 3, ByteSize.ofMib(1));
    }

    @Override
    public long oomKills() {
      return oomKills.get();
    }

    @Override
    public void freeze() {}

    @Override
    public void thaw() {}

    @Override
    public void kill() {
      host.step(Step.KILL, id);
      end(false);
      host.launches.remove(id);
      host.running.remove(id);
      host.step(Step.KILLED, id);
    }
  }
}
