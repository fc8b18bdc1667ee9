package dev.microsandbox.isolation.oci;

import dev.microsandbox.agent.AgentTransport;
import dev.microsandbox.agent.ListeningTransport;
import dev.microsandbox.isolation.ProcessMark;
import dev.microsandbox.isolation.RunningSandbox;
import dev.microsandbox.isolation.SandboxEnd;
import dev.microsandbox.isolation.Usage;
import dev.microsandbox.linux.Cgroup;
import dev.microsandbox.linux.HostProcess;
import dev.microsandbox.linux.LayerFiles;
import dev.microsandbox.model.ByteSize;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxId;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;

/// A container that runs, whoever has started it.
final class Container implements RunningSandbox {
  private final SandboxId id;
  private final ListeningTransport channel;
  private final Cgroup cgroup;
  private final HostProcess first;
  private final Path layer;
  private final Takedown takedown;
  private final LaunchSteps steps;
  private final ProcessMark mark;
  private final CompletableFuture<SandboxEnd> ended;

  /// OOM kills that it has outlived: they hit an interpreter or a command.
  private final AtomicLong survived;

  private boolean down;

  /// What a launch has made.
  ///
  /// @param oomKills so far
  record Parts(
      SandboxId id,
      ListeningTransport channel,
      Cgroup cgroup,
      HostProcess first,
      Path layer,
      LaunchSteps steps,
      String hostBootId,
      long oomKills) {}

  Container(Parts parts, Takedown takedown) {
    this.id = parts.id;
    this.channel = parts.channel;
    this.cgroup = parts.cgroup;
    this.first = parts.first;
    this.layer = parts.layer;
    this.steps = parts.steps;
    this.mark = new ProcessMark(parts.hostBootId, first.pid(), first.startTime());
    this.survived = new AtomicLong(parts.oomKills);
    this.takedown = takedown;
    this.ended = first.ended().thenApply(_ -> new SandboxEnd(killedForMemory()));
  }

  @Override
  public SandboxId id() {
    return id;
  }

  @Override
  public ProcessMark mark() {
    return mark;
  }

  @Override
  public AgentTransport transport() {
    return channel;
  }

  @Override
  public CompletableFuture<SandboxEnd> ended() {
    return ended.copy();
  }

  @Override
  public CompletableFuture<Void> setHostname(String name) {
    return first
        .setHostname(name)
        .exceptionallyCompose(e ->
            CompletableFuture.failedFuture(e.getCause() instanceof IOException io ? gone(io) : e));
  }

  @Override
  public Usage usage() {
    try {
      Cgroup.Usage used = cgroup.usage();
      ByteSize disk = LayerFiles.allocated(layer);
      return new Usage(used.cpuTime(), new ByteSize(used.memory()), used.processes(), disk);
    } catch (IOException e) {
      throw gone(e);
    }
  }

  @Override
  public long oomKills() {
    try {
      long kills = cgroup.oomKills();
      if (kills > survived.get() && first.isAlive()) {
        survived.accumulateAndGet(kills, Math::max);
      }
      return kills;
    } catch (IOException e) {
      throw gone(e);
    }
  }

  @Override
  public void freeze() {
    try {
      cgroup.freeze();
    } catch (IOException e) {
      throw gone(e);
    }
  }

  @Override
  public void thaw() {
    try {
      cgroup.thaw();
    } catch (IOException e) {
      throw gone(e);
    }
  }

  @Override
  public synchronized void kill() {
    if (!down) {
      channel.close();
      first.kill(); // the kernel ends all others with it
      takedown.end(id);
      cgroup.close();
      down = true;
    }
  }

  /// The host's id of its first process.
  int pid() {
    return first.pid();
  }

  LaunchSteps steps() {
    return steps;
  }

  private boolean killedForMemory() {
    try {
      return cgroup.oomKills() > survived.get();
    } catch (IOException e) {
      return false; // taken down meanwhile, by our own hand
    }
  }

  private SandboxException gone(IOException cause) {
    return new SandboxException(
        ErrorCode.SANDBOX_ENDED, "sandbox " + id + " has ended", Map.of(), cause);
  }
}
