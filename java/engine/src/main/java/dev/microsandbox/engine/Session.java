package dev.microsandbox.engine;

import dev.microsandbox.agent.AgentClient;
import dev.microsandbox.agent.InterruptCause;
import dev.microsandbox.isolation.RunningSandbox;
import dev.microsandbox.isolation.Usage;
import dev.microsandbox.model.EndReason;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.Outcome;
import dev.microsandbox.model.SandboxException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/// A sandbox while it runs: its processes, its agent's channel, and what is under way in it.
final class Session {
  private static final int MOST_COMMANDS = 64;
  private static final int SIGKILL = 9;
  private static final System.Logger LOG = System.getLogger(Session.class.getName());

  private final RunningSandbox running;
  private final Surroundings surroundings;
  private final Contexts contexts;
  private final RunTable runs = new RunTable();
  private final Set<RunView> furtherViews = ConcurrentHashMap.newKeySet();
  private final Semaphore commands = new Semaphore(MOST_COMMANDS);
  private final AtomicInteger uses = new AtomicInteger();
  private final AtomicBoolean dead = new AtomicBoolean();
  private final CpuMeter cpu;
  private volatile AgentClient agent;
  private volatile long lastUse;
  private volatile long notedUse;
  private volatile boolean ending;
  private volatile boolean closed;

  /// What a session needs of the engine.
  ///
  /// @param cpuBefore processing time used before it was anybody's
  /// @param died told once when the sandbox cannot go on; never when it is stopped
  record Surroundings(
      EngineClock clock,
      Timers timers,
      EngineSettings.Timings timings,
      SandboxLog log,
      Journal journal,
      Duration cpuBefore,
      Consumer<EndReason> died) {}

  Session(RunningSandbox running, AgentClient agent, Contexts contexts, Surroundings surroundings) {
    this.running = running;
    this.agent = agent;
    this.contexts = contexts;
    this.surroundings = surroundings;
    this.cpu = new CpuMeter(surroundings.clock(), surroundings.cpuBefore());
    this.lastUse = surroundings.clock().nanos();
  }

  // ---------------------------------------------------------------- what it consists of

  RunningSandbox running() {
    return running;
  }

  AgentClient agent() {
    return agent;
  }

  Contexts contexts() {
    return contexts;
  }

  RunTable runs() {
    return runs;
  }

  EngineClock clock() {
    return surroundings.clock();
  }

  Timers timers() {
    return surroundings.timers();
  }

  EngineSettings.Timings timings() {
    return surroundings.timings();
  }

  SandboxLog log() {
    return surroundings.log();
  }

  Journal journal() {
    return surroundings.journal();
  }

  // ---------------------------------------------------------------- use

  /// Holds off the idle limit until it is closed.
  Use use() {
    uses.incrementAndGet();
    AtomicBoolean over = new AtomicBoolean();
    return () -> {
      if (over.compareAndSet(false, true)) {
        lastUse = clock().nanos();
        uses.decrementAndGet();
      }
    };
  }

  /// A use of a sandbox, until closed; closing twice does no harm.
  interface Use extends AutoCloseable {
    @Override
    void close();
  }

  void touch() {
    lastUse = clock().nanos();
  }

  /// Was last used then, under an earlier server.
  void usedUntil(Instant moment) {
    lastUse = clock().nanos() - Duration.between(moment, clock().now()).toNanos();
  }

  /// Whether it has been used since this was last asked.
  boolean usedSinceNoted() {
    long now = lastUse;
    boolean used = uses.get() > 0 || now != notedUse;
    notedUse = now;
    return used;
  }

  /// When it was last of use to anybody.
  Instant lastUsed() {
    return clock().now().minus(idle());
  }

  /// How long it has been of no use to anybody.
  Duration idle() {
    return uses.get() > 0 ? Duration.ZERO : Duration.ofNanos(clock().nanos() - lastUse);
  }

  double cpuPercent(Usage usage) {
    return cpu.percent(usage);
  }

  // ---------------------------------------------------------------- runs

  /// Lets a run begin.
  void begin(Run run) {
    uses.incrementAndGet();
    runs.add(run);
    try {
      run.begin();
    } catch (RuntimeException e) {
      runs.forget(run.id());
      uses.decrementAndGet();
      throw e;
    }
    if (closed) {
      run.sandboxEnded(Outcome.SANDBOX_ENDED);
    }
  }

  /// Takes a run in that an earlier server began.
  ///
  /// @throws SandboxException where there is no place
  void resume(Run run, RunRecord begun, boolean live) {
    if (live) {
      uses.incrementAndGet();
    }
    runs.add(run);
    try {
      run.resume(begun, live);
    } catch (RuntimeException e) {
      runs.forget(run.id());
      if (live) {
        uses.decrementAndGet();
      }
      throw e;
    }
  }

  /// A run is over, however it came about.
  void ended(Run run) {
    if (!run.wasOver()) {
      lastUse = clock().nanos();
      uses.decrementAndGet();
    }
    forget(runs.ended(run.id()));
  }

  /// The agent need not keep the outcomes of these.
  void forget(List<ObjectId> ids) {
    if (!ids.isEmpty() && !closed) {
      try {
        agent.acknowledge(ids);
      } catch (SandboxException _) {
        // the agent forgets by itself in time
      }
    }
  }

  void forget(ObjectId id) {
    runs.forget(id);
  }

  void enterCommand() {
    if (!commands.tryAcquire()) {
      throw new SandboxException(
          ErrorCode.TOO_MANY_PROCESSES, "64 commands are running in this sandbox; wait for one");
    }
  }

  void leaveCommand() {
    commands.release();
  }

  /// Opens a view on the present channel, whichever that is by the time it is done.
  void open(RunView view) {
    AgentClient now;
    do {
      now = agent;
      view.open(now);
    } while (now != agent);
  }

  void addView(RunView view) {
    furtherViews.add(view);
    open(view);
  }

  void removeView(RunView view) {
    furtherViews.remove(view);
  }

  void sendInterrupt(ObjectId id, InterruptCause cause) {
    try {
      agent
          .interrupt(id, cause, timings().interruptGrace())
          .exceptionally(e -> {
            LOG.log(System.Logger.Level.DEBUG, "an interrupt was not taken", e);
            return null;
          });
    } catch (SandboxException e) {
      LOG.log(System.Logger.Level.DEBUG, "an interrupt could not be sent", e);
    }
  }

  void sendKill(ObjectId id) {
    try {
      agent.signal(id, SIGKILL, true);
    } catch (SandboxException e) {
      LOG.log(System.Logger.Level.DEBUG, "a signal could not be sent", e);
    }
  }

  /// How often the kernel has killed here for want of memory; 0 where that cannot be told any more.
  long oomKills() {
    try {
      return running.oomKills();
    } catch (RuntimeException e) {
      LOG.log(System.Logger.Level.DEBUG, "OOM kills could not be counted", e);
      return 0;
    }
  }

  // ---------------------------------------------------------------- its end

  /// The channel has been replaced: what was under way goes on there.
  void reconnected(AgentClient next) {
    agent = next;
    runs.live().forEach(Run::reopen);
    furtherViews.forEach(this::open);
  }

  /// The agent is gone or breaks its protocol: the sandbox cannot go on.
  void agentLost(String detail) {
    log().warning("the agent is lost: " + detail);
    died(EndReason.AGENT_LOST);
  }

  void died(EndReason reason) {
    if (!ending && dead.compareAndSet(false, true)) {
      surroundings.died().accept(reason);
    }
  }

  /// From now on ends are the sandbox's doing.
  void startEnding() {
    ending = true;
  }

  boolean isEnding() {
    return ending;
  }

  /// Leaves the sandbox to a later server: all that is under way goes on without this one.
  void letGo() {
    ending = true;
    closed = true;
    journal().used(this);
    for (Run run : runs.live()) {
      journal().begun(run);
      run.letGo();
    }
    for (RunView view : furtherViews) {
      view.sink()
          .failed(
              new SandboxException(
                  ErrorCode.SHUTTING_DOWN,
                  "the server stops, but the run goes on: attach to it when the server is back"));
    }
    agent.close();
  }

  /// Ends all that is under way, and the channel.
  void close(Outcome outcome) {
    ending = true;
    closed = true;
    for (Run run : runs.live()) {
      run.sandboxEnded(outcome);
    }
    for (RunView view : furtherViews) {
      view.detach();
      view.sink().finished(new RunEvent.Finished(outcome, null, null, true, Duration.ZERO));
    }
    furtherViews.clear();
    try {
      agent.close();
    } catch (RuntimeException e) {
      // A bug, but no reason to keep a sandbox half ended.
      LOG.log(System.Logger.Level.ERROR, "a channel could not be closed", e);
    }
  }
}
