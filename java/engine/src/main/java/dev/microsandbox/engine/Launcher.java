package dev.microsandbox.engine;

import dev.microsandbox.agent.AgentClient;
import dev.microsandbox.agent.SandboxConfiguration;
import dev.microsandbox.isolation.IdRange;
import dev.microsandbox.isolation.IsolationDriver;
import dev.microsandbox.isolation.LaunchSpec;
import dev.microsandbox.isolation.RunningSandbox;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.Language;
import dev.microsandbox.model.Limits;
import dev.microsandbox.model.NetworkPolicy;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxId;
import dev.microsandbox.model.SandboxSpec;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/// Brings a sandbox's processes up, in two steps: the *launch*, in which nothing is particular to a
/// request, and the *claim*, which tells the sandbox who it is.
final class Launcher {
  private static final int SIDE_BY_SIDE =
      Math.max(4, 2 * Runtime.getRuntime().availableProcessors());
  private static final Duration LONGEST_QUEUE = Duration.ofSeconds(60);

  /// Of a sandbox that waits in a pool.
  private static final String NOBODYS_NAME = "sandbox";

  private final AgentConnector connector;
  private final EgressFactory egress;
  private final Duration connectTimeout;
  private final Semaphore places = new Semaphore(SIDE_BY_SIDE, true);

  Launcher(AgentConnector connector, EgressFactory egress, Duration connectTimeout) {
    this.connector = connector;
    this.egress = egress;
    this.connectTimeout = connectTimeout;
  }

  /// A sandbox whose agent has dialled.
  ///
  /// @param network what its present channel does about outbound connections
  record Launched(
      Plan plan, RunningSandbox running, AgentClient agent, EgressFactory.SandboxNetwork network) {}

  /// What a launch needs: nothing that is particular to one request.
  ///
  /// @param capture whether outbound connections can be taken up, should a policy allow any
  record Plan(
      IsolationDriver driver,
      SandboxId id,
      IdRange ids,
      Limits limits,
      RootfsSource.Rootfs rootfs,
      boolean capture,
      SandboxLog log,
      Contexts contexts) {}

  /// Whose agent is waited for, and where goes what it does unasked.
  ///
  /// @param policy what holds for outbound connections from the first moment
  record Listening(SandboxId id, NetworkPolicy policy, SandboxLog log, Contexts contexts) {}

  /// An agent that has dialled.
  record Dialled(AgentClient agent, EgressFactory.SandboxNetwork network) {}

  /// Starts the first process and waits for its agent. When it throws, nothing is left but the
  /// disk.
  Launched launch(Plan plan) {
    takePlace();
    try {
      RunningSandbox running = plan.driver().launch(spec(plan));
      try {
        return firstDialled(plan, running);
      } catch (RuntimeException e) {
        running.kill();
        throw e;
      }
    } finally {
      places.release();
    }
  }

  private static LaunchSpec spec(Plan plan) {
    return new LaunchSpec(
        plan.id(),
        plan.rootfs().file(),
        plan.rootfs().environment(),
        plan.limits(),
        plan.ids(),
        plan.capture());
  }

  private void takePlace() {
    try {
      if (!places.tryAcquire(LONGEST_QUEUE.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new SandboxException(
            ErrorCode.TOO_MANY_REQUESTS, "too many sandboxes are being started; try again");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SandboxException(ErrorCode.SHUTTING_DOWN, "the start was interrupted");
    }
  }

  private Launched firstDialled(Plan plan, RunningSandbox running) {
    try {
      Listening listening =
          new Listening(plan.id(), NetworkPolicy.NONE, plan.log(), plan.contexts());
      Dialled dialled = dialled(listening, running, connectTimeout);
      return new Launched(plan, running, dialled.agent(), dialled.network());
    } catch (SandboxException e) {
      throw new SandboxException(
          ErrorCode.SANDBOX_FAILED,
          "the sandbox was started, but its agent has not answered; see the server's log",
          Map.of(),
          e);
    }
  }

  /// Waits for the agent to dial, at a launch or again later.
  Dialled dialled(Listening to, RunningSandbox running, Duration timeout) {
    // A sandbox that has ended will not dial: the wait ends with it.
    running.ended().thenRun(() -> running.transport().close());
    EgressFactory.SandboxNetwork network =
        egress.open(to.id(), (level, text) -> to.log().add("network", level, text));
    network.apply(to.policy());
    AgentConnector.Ears ears =
        new AgentConnector.Ears(to.log().listener(to.contexts()), network.outbound());
    try {
      return new Dialled(connector.connect(to.id(), running.transport(), ears, timeout), network);
    } catch (RuntimeException e) {
      network.outbound().onChannelEnded();
      throw e;
    }
  }

  /// Tells a sandbox that was launched for one request who it is.
  void introduce(Launched launched, SandboxSpec spec) {
    EgressFactory.Provision network = launched.network().apply(spec.network());
    SandboxConfiguration words =
        words(
            launched,
            spec,
            network,
            new Once(network.caBundle(), launched.plan().rootfs().info().languages(), List.of()));
    await(tell(launched, spec, words, connectTimeout));
    launched.agent().hello().contexts().forEach(launched.plan().contexts()::changed);
  }

  /// Does ahead what is the same for whoever will claim it: authorities, interpreters. It gets no
  /// network, no variables and a name that says nothing.
  void prepare(Launched launched) {
    await(
        launched
            .agent()
            .configure(
                new SandboxConfiguration(
                    NOBODYS_NAME,
                    Map.of(),
                    false,
                    Map.of(),
                    launched.network().apply(NetworkPolicy.NONE).caBundle(),
                    List.of(),
                    launched.plan().rootfs().info().languages(),
                    List.of()),
                connectTimeout));
  }

  /// Tells a prepared sandbox who it is from now on: it is under way when this returns.
  ///
  /// @param patience an agent that has not answered by then is lost
  CompletableFuture<Void> claim(Launched launched, SandboxSpec spec, Duration patience) {
    EgressFactory.Provision network = launched.network().apply(spec.network());
    RootfsSource.Rootfs rootfs = launched.plan().rootfs();
    List<Language> renewed =
        StartVariables.renewed(rootfs.info().languages(), spec.environment(), rootfs.environment());
    Once nothingAgain = new Once(new byte[0], List.of(), renewed);
    return tell(launched, spec, words(launched, spec, network, nothingAgain), patience);
  }

  /// What is done once in a sandbox's life, at its first configuration or at its claim.
  private record Once(byte[] authorities, List<Language> prestart, List<Language> renew) {}

  private static SandboxConfiguration words(
      Launched launched, SandboxSpec spec, EgressFactory.Provision network, Once once) {
    Map<String, String> environment = new HashMap<>(network.environment());
    environment.putAll(spec.environment());
    return new SandboxConfiguration(
        spec.name().value(),
        environment,
        launched.plan().capture() && network.capture(),
        network.hosts(),
        once.authorities(),
        network.files(),
        once.prestart(),
        once.renew());
  }

  /// The kernel is told the name while the agent is at work, and the caller free for other things.
  private static CompletableFuture<Void> tell(
      Launched launched, SandboxSpec spec, SandboxConfiguration words, Duration patience) {
    CompletableFuture<Void> answer = launched.agent().configure(words, patience);
    return CompletableFuture.allOf(answer, launched.running().setHostname(spec.name().value()));
  }

  /// Waits for an agent's word.
  static void await(CompletableFuture<Void> answer) {
    try {
      answer.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof SandboxException known) {
        throw known;
      }
      throw e;
    }
  }
}
