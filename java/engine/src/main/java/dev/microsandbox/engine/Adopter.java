package dev.microsandbox.engine;

import dev.microsandbox.agent.AgentClient;
import dev.microsandbox.isolation.AdoptSpec;
import dev.microsandbox.isolation.Adoption;
import dev.microsandbox.isolation.RunningSandbox;
import dev.microsandbox.isolation.SandboxEnd;
import dev.microsandbox.model.EndReason;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Takes hold of the sandboxes that an earlier server left running, however it ended: all side by
/// side, while the server answers already. Who asks for one of them waits for it.
final class Adopter {
  private static final System.Logger LOG = System.getLogger(Adopter.class.getName());

  private final Lifecycle.Parts parts;
  private final Launcher launcher;
  private final Lifecycle lifecycle;

  Adopter(Lifecycle.Parts parts, Launcher launcher, Lifecycle lifecycle) {
    this.parts = parts;
    this.launcher = launcher;
    this.lifecycle = lifecycle;
  }

  /// Makes them known and counts them, then returns; the rest is done behind.
  void adopt(List<Orphan> orphans) {
    List<Thread> threads = new ArrayList<>();
    for (Orphan orphan : orphans) {
      SandboxRecord row = orphan.row();
      Sandbox sandbox = Sandbox.orphaned(row, parts.clock());
      sandbox.admit(parts.admission().readmit(row.spec().owner(), row.spec().limits()));
      parts.registry().restore(sandbox);
      threads.add(Thread.ofVirtual().unstarted(() -> adopt(sandbox, orphan)));
    }
    threads.forEach(Thread::start);
  }

  private void adopt(Sandbox sandbox, Orphan orphan) {
    @Nullable EndReason end;
    try {
      end = goOn(sandbox, orphan);
    } catch (RuntimeException e) {
      LOG.log(System.Logger.Level.WARNING, orphan.row().id() + " could not be taken over", e);
      end = EndReason.AGENT_LOST;
    }
    if (end != null) {
      lifecycle.foundDead(sandbox, end);
    }
  }

  /// @return why it does not go on; null where it does
  private @Nullable EndReason goOn(Sandbox sandbox, Orphan orphan) {
    SandboxRecord row = orphan.row();
    Foothold foothold = orphan.foothold();
    AdoptSpec spec = new AdoptSpec(row.id(), row.ids(), foothold.first(), foothold.oomKills());
    return switch (parts.drivers().of(row.isolation()).adopt(spec)) {
      case Adoption.HostRestarted() -> EndReason.HOST_RESTARTED;
      case Adoption.Ended(SandboxEnd end) -> reason(end);
      case Adoption.Alive(RunningSandbox running) -> takeOver(sandbox, running, orphan);
    };
  }

  private @Nullable EndReason takeOver(Sandbox sandbox, RunningSandbox running, Orphan orphan) {
    try {
      Contexts contexts = new Contexts(orphan.row().languages());
      AgentClient agent = dialled(sandbox, running, contexts, orphan.foothold());
      agent.hello().contexts().forEach(contexts::found);
      lifecycle.takenOver(sandbox, running, agent, contexts, orphan);
      return null;
    } catch (RuntimeException e) {
      boolean hadEnded = running.ended().isDone();
      running.kill();
      if (hadEnded) {
        return reason(running.ended().join());
      }
      throw e;
    }
  }

  private static EndReason reason(SandboxEnd end) {
    return end.outOfMemory() ? EndReason.OUT_OF_MEMORY : EndReason.EXITED;
  }

  /// Waits for the agent that was left, and for no other program: a tenant's could dial as well.
  private AgentClient dialled(
      Sandbox sandbox, RunningSandbox running, Contexts contexts, Foothold foothold) {
    SandboxRecord row = sandbox.record();
    Launcher.Listening listening =
        new Launcher.Listening(row.id(), row.spec().network(), sandbox.log(), contexts);
    long end = System.nanoTime() + parts.settings().timings().adopt().toNanos();
    while (true) {
      Duration left = Duration.ofNanos(end - System.nanoTime());
      if (!left.isPositive()) {
        throw new SandboxException(ErrorCode.AGENT_LOST, "another agent has dialled");
      }
      AgentClient agent = launcher.dialled(listening, running, left).agent();
      if (agent.hello().bootId().equals(foothold.agentBootId())) {
        return agent;
      }
      sandbox.log().warning("another agent has dialled; it is not listened to");
      agent.close();
    }
  }
}
