package dev.microsandbox.engine;

import dev.microsandbox.agent.AgentClient;
import dev.microsandbox.agent.ChannelEnd;
import dev.microsandbox.isolation.SandboxEnd;
import dev.microsandbox.model.EndReason;
import dev.microsandbox.model.SandboxException;
import java.time.Duration;

/// Watches a sandbox's first process and its agent's channel. A channel that is merely lost may be
/// dialled again; anything else ends the sandbox.
final class Lifeline {
  /// An agent that loses its connection more often than this does not do so by accident.
  private static final int MOST_REDIALS = 20;

  private static final Duration REDIAL_PERIOD = Duration.ofMinutes(1);

  private final Session session;
  private final Dialler dialler;
  private int redials;
  private long periodStart;

  /// Waits for the agent of this sandbox to dial again.
  interface Dialler {
    AgentClient dial(Duration timeout);
  }

  Lifeline(Session session, Dialler dialler) {
    this.session = session;
    this.dialler = dialler;
    this.periodStart = session.clock().nanos();
  }

  void watch() {
    session.running().ended().thenAccept(this::processEnded);
    watch(session.agent());
  }

  private void processEnded(SandboxEnd end) {
    session.died(end.outOfMemory() ? EndReason.OUT_OF_MEMORY : EndReason.EXITED);
  }

  private void watch(AgentClient agent) {
    agent.ended().thenAccept(end -> Thread.startVirtualThread(() -> channelEnded(agent, end)));
  }

  private void channelEnded(AgentClient agent, ChannelEnd end) {
    if (session.isEnding()) {
      return;
    }
    switch (end.cause()) {
      case CLOSED -> {}
      case LOST -> redial(agent);
      case RULE_BROKEN, UNANSWERED -> session.agentLost(end.cause() + ": " + end.detail());
    }
  }

  private void redial(AgentClient before) {
    if (tooOften()) {
      session.agentLost("its connection ended too often");
      return;
    }
    try {
      AgentClient next = dialler.dial(session.timings().redial());
      if (!next.hello().bootId().equals(before.hello().bootId())) {
        next.close();
        session.agentLost("another agent has dialled");
        return;
      }
      if (session.isEnding()) {
        next.close();
        return;
      }
      session.log().info("the agent has dialled again");
      session.reconnected(next);
      watch(next);
    } catch (SandboxException e) {
      session.agentLost("its connection ended and it has not dialled again");
    }
  }

  private boolean tooOften() {
    long now = session.clock().nanos();
    if (now - periodStart > REDIAL_PERIOD.toNanos()) {
      periodStart = now;
      redials = 0;
    }
    return ++redials > MOST_REDIALS;
  }
}
