package dev.microsandbox.engine;

import dev.microsandbox.agent.AgentClient;
import dev.microsandbox.isolation.IdRange;
import dev.microsandbox.isolation.ProbeReport;
import dev.microsandbox.isolation.RunningSandbox;
import dev.microsandbox.model.EndReason;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.IsolationKind;
import dev.microsandbox.model.Limits;
import dev.microsandbox.model.NetworkPolicy;
import dev.microsandbox.model.Outcome;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxId;
import dev.microsandbox.model.SandboxSpec;
import dev.microsandbox.model.SandboxState;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// Creates, starts, stops and deletes. Each step is journaled before it is taken, and undone where
/// a later one fails.
final class Lifecycle {
  private static final System.Logger LOG = System.getLogger(Lifecycle.class.getName());

  /// Of a record that has not been stored yet; never given to a driver.
  private static final IdRange NO_IDS = new IdRange(IdRange.SIZE);

  private final Parts parts;
  private final Launcher launcher;
  private final TakeDown takeDown;
  private final Pools pools;
  private final PoolKeeper keeper;
  private final Calm calm;

  /// What a lifecycle is made of.
  record Parts(
      EngineSettings settings,
      EngineClock clock,
      Timers timers,
      Store store,
      Journal journal,
      Registry registry,
      Admission admission,
      Drivers drivers,
      RootfsSource images) {}

  /// What is kept ready, and how that learns when it is not the time for it.
  record Pooled(Pools pools, PoolKeeper keeper, Calm calm) {}

  Lifecycle(Parts parts, Launcher launcher, TakeDown takeDown, Pooled pooled) {
    this.parts = parts;
    this.launcher = launcher;
    this.takeDown = takeDown;
    this.pools = pooled.pools();
    this.keeper = pooled.keeper();
    this.calm = pooled.calm();
  }

  // ---------------------------------------------------------------- create

  SandboxInfo create(SandboxSpec spec) {
    long begin = System.nanoTime();
    checkLimits(spec.limits());
    RootfsSource.Rootfs rootfs = parts.images().resolve(spec.image());
    Drivers.Able able = parts.drivers().choose(spec.isolation());
    Sandbox sandbox = new Sandbox(draft(spec, rootfs, able.driver().kind()), parts.clock());
    takeName(sandbox);
    try (Calm.Busy _ = calm.begin()) {
      try {
        sandbox.admit(parts.admission().admit(spec.owner(), spec.limits()));
        SandboxInfo claimed = claimed(sandbox);
        if (claimed != null) {
          pools.claimed(System.nanoTime() - begin);
          return claimed;
        }
        store(sandbox);
      } catch (RuntimeException e) {
        dropUnstored(sandbox);
        throw e;
      }
      return made(sandbox, rootfs, able);
    }
  }

  private SandboxInfo made(Sandbox sandbox, RootfsSource.Rootfs rootfs, Drivers.Able able) {
    try {
      return bringUp(sandbox, rootfs, able);
    } catch (RuntimeException e) {
      takeDown.undoCreate(sandbox);
      throw e;
    }
  }

  /// Stores a sandbox that will be made for this request alone.
  private void store(Sandbox sandbox) {
    keeper.makeRoom();
    SandboxRecord draft = sandbox.record();
    SandboxRecord stored =
        parts.store().add(draft.id(), ids -> draft.as(draft.id(), ids), draft.createdAt());
    sandbox.set(stored);
    parts.registry().identify(sandbox);
  }

  // ---------------------------------------------------------------- claims

  /// Out of a pool, where one is to be had; else null.
  private @Nullable SandboxInfo claimed(Sandbox sandbox) {
    SandboxRecord draft = sandbox.record();
    PoolKey key = new PoolKey(draft.spec().image(), draft.isolation(), draft.spec().limits());
    Pools.Claim claim = pools.claim(key, draft.image());
    claim.useless().forEach(keeper::discardLater);
    keeper.wake();
    PoolMember member = claim.member();
    return member == null ? null : claimed(sandbox, member);
  }

  /// Makes it the caller's: one transaction, before which it is nobody's. By then its agent has
  /// been sent all that it is to know, which it takes in before anything that is asked of it later.
  private @Nullable SandboxInfo claimed(Sandbox sandbox, PoolMember member) {
    SandboxRecord draft = sandbox.record().as(member.id(), member.ids());
    SandboxRecord running = draft.runningSince(parts.clock().now());
    CompletableFuture<Void> told;
    try {
      Duration patience = parts.settings().timings().agentPatience();
      told = launcher.claim(member.launched(), draft.spec(), patience);
    } catch (RuntimeException e) {
      return unclaimed(member, e);
    }
    try {
      parts.store().claim(running, foothold(member.launched()));
    } catch (RuntimeException e) {
      keeper.discard(member);
      throw e;
    }
    try {
      Launcher.await(told);
    } catch (RuntimeException e) {
      return unclaimed(member, e);
    }
    member.leave();
    sandbox.become(draft, member.log());
    parts.registry().identify(sandbox);
    settleRunning(sandbox, running, member.launched(), member.cpuTime());
    return running.info();
  }

  /// It is good for nobody; the caller gets another.
  private @Nullable SandboxInfo unclaimed(PoolMember member, RuntimeException why) {
    LOG.log(System.Logger.Level.WARNING, "a pooled sandbox could not be claimed", why);
    keeper.discard(member);
    return null;
  }

  void checkLimits(Limits asked) {
    Limits largest = parts.settings().largest();
    if (asked.memory().compareTo(largest.memory()) > 0) {
      throw tooMuch("memory", largest.memory().toString());
    }
    if (asked.cpus() > largest.cpus()) {
      throw tooMuch("cpus", Double.toString(largest.cpus()));
    }
    if (asked.processes() > largest.processes()) {
      throw tooMuch("processes", Integer.toString(largest.processes()));
    }
    if (asked.disk().compareTo(largest.disk()) > 0) {
      throw tooMuch("disk", largest.disk().toString());
    }
  }

  private static SandboxException tooMuch(String field, String largest) {
    return new SandboxException(
        ErrorCode.INVALID_LIMITS,
        field + " is at most " + largest + " on this server",
        Map.of("field", field));
  }

  private SandboxRecord draft(SandboxSpec spec, RootfsSource.Rootfs rootfs, IsolationKind kind) {
    Instant now = parts.clock().now();
    Duration life = spec.timeToLive();
    return new SandboxRecord(
        SandboxId.random(),
        spec,
        rootfs.info().digest(),
        rootfs.info().languages(),
        kind,
        NO_IDS,
        SandboxState.STARTING,
        now,
        null,
        null,
        life == null ? null : now.plus(life),
        null);
  }

  /// A name whose holder is on its way out is waited for.
  private void takeName(Sandbox sandbox) {
    Sandbox holder = parts.registry().add(sandbox);
    while (holder != null) {
      if (!holder.isLeaving()) {
        throw new SandboxException(
            ErrorCode.NAME_TAKEN,
            "a sandbox named "
                + sandbox.record().spec().name()
                + " exists; stop it or use another name");
      }
      holder.waitUntilSettled(parts.settings().timings().busy());
      holder = parts.registry().add(sandbox);
    }
  }

  private void dropUnstored(Sandbox sandbox) {
    parts.registry().remove(sandbox);
    sandbox.settleGone(sandbox.record());
  }

  // ---------------------------------------------------------------- start

  SandboxInfo start(Sandbox sandbox) {
    Duration patience = parts.settings().timings().busy();
    SandboxRecord before = sandbox.record();
    if (!sandbox.begin(SandboxState.STARTING, SandboxState.RUNNING, patience)) {
      return sandbox.record().info();
    }
    boolean journaled = false;
    try (Calm.Busy _ = calm.begin()) {
      SandboxSpec spec = before.spec();
      RootfsSource.Rootfs rootfs = parts.images().resolve(spec.image(), before.image());
      Drivers.Able able = parts.drivers().choose(before.isolation());
      sandbox.admit(parts.admission().admit(spec.owner(), spec.limits()));
      keeper.makeRoom();
      parts.store().launching(sandbox.record(), parts.clock().now());
      journaled = true;
      return bringUp(sandbox, rootfs, able);
    } catch (RuntimeException e) {
      if (journaled) {
        takeDown.undoStart(sandbox);
      } else {
        sandbox.settleStopped(sandbox.record().in(SandboxState.STOPPED));
      }
      throw e;
    }
  }

  private SandboxInfo bringUp(Sandbox sandbox, RootfsSource.Rootfs rootfs, Drivers.Able able) {
    SandboxRecord row = sandbox.record();
    Launcher.Launched launched = launch(plan(sandbox, rootfs, able));
    try {
      launcher.introduce(launched, row.spec());
      SandboxRecord running = row.runningSince(parts.clock().now());
      parts.store().running(running, foothold(launched));
      settleRunning(sandbox, running, launched, Duration.ZERO);
      return running.info();
    } catch (RuntimeException e) {
      launched.agent().close();
      launched.running().kill();
      throw coded(e);
    }
  }

  private static Launcher.Plan plan(
      Sandbox sandbox, RootfsSource.Rootfs rootfs, Drivers.Able able) {
    SandboxRecord row = sandbox.record();
    boolean capture =
        row.spec().network() != NetworkPolicy.NONE
            && able.abilities().features().contains(ProbeReport.Feature.EGRESS_CAPTURE);
    return new Launcher.Plan(
        able.driver(),
        row.id(),
        row.ids(),
        row.spec().limits(),
        rootfs,
        capture,
        sandbox.log(),
        new Contexts(row.languages()));
  }

  private Foothold foothold(Launcher.Launched launched) {
    return new Foothold(
        launched.running().mark(), launched.agent().hello().bootId(), 0, parts.clock().now());
  }

  /// It runs and everything is told: from here on it is open to its owner.
  private void settleRunning(
      Sandbox sandbox, SandboxRecord running, Launcher.Launched launched, Duration cpuBefore) {
    Session session =
        session(
            sandbox, launched.running(), launched.agent(), launched.plan().contexts(), cpuBefore);
    sandbox.log().info("started");
    sandbox.settleRunning(running, session);
    watch(sandbox, session);
  }

  private void watch(Sandbox sandbox, Session session) {
    SandboxRecord row = sandbox.record();
    Launcher.Listening listening =
        new Launcher.Listening(row.id(), row.spec().network(), sandbox.log(), session.contexts());
    new Lifeline(
            session, timeout -> launcher.dialled(listening, session.running(), timeout).agent())
        .watch();
  }

  private Launcher.Launched launch(Launcher.Plan plan) {
    try {
      return launcher.launch(plan);
    } catch (RuntimeException e) {
      throw coded(e);
    }
  }

  /// What a driver throws without a code is a bug or a broken host: the log has the cause.
  private static SandboxException coded(RuntimeException e) {
    if (e instanceof SandboxException known) {
      return known;
    }
    return new SandboxException(
        ErrorCode.SANDBOX_FAILED,
        "the sandbox could not be started; see the server's log",
        Map.of(),
        e);
  }

  private Session session(
      Sandbox sandbox,
      RunningSandbox running,
      AgentClient agent,
      Contexts contexts,
      Duration cpuBefore) {
    Session[] self = new Session[1];
    Session session =
        new Session(
            running,
            agent,
            contexts,
            new Session.Surroundings(
                parts.clock(),
                parts.timers(),
                parts.settings().timings(),
                sandbox.log(),
                parts.journal(),
                cpuBefore,
                reason -> Thread.startVirtualThread(() -> died(sandbox, self[0], reason))));
    self[0] = session;
    return session;
  }

  // ---------------------------------------------------------------- of an earlier server's

  /// It runs and its agent has dialled: it goes on.
  void takenOver(
      Sandbox sandbox,
      RunningSandbox running,
      AgentClient agent,
      Contexts contexts,
      Orphan orphan) {
    Session session = session(sandbox, running, agent, contexts, Duration.ZERO);
    session.usedUntil(orphan.foothold().lastUsed());
    new RunAdoption(session, orphan.foothold(), parts.settings().runTimeout())
        .adopt(agent.hello().objects(), orphan.runs());
    sandbox.log().info("the server was started anew and has taken the sandbox over");
    sandbox.settleRunning(sandbox.record(), session);
    watch(sandbox, session);
  }

  /// It ended while no server looked, or cannot go on.
  void foundDead(Sandbox sandbox, EndReason reason) {
    finish(sandbox, null, reason, false, sandbox.record().spec().ephemeral());
  }

  // ---------------------------------------------------------------- time limits

  SandboxInfo extend(Sandbox sandbox, TimeLimits limits) {
    Session session = sandbox.session();
    if (session != null) {
      session.touch();
    }
    if (limits.timeToLive() == null && limits.idleTimeout() == null) {
      return sandbox.record().info();
    }
    sandbox.waitUntilSettled(parts.settings().timings().busy());
    SandboxRecord changed = sandbox.change(row -> limited(row, limits));
    parts.store().update(changed);
    sandbox.setExpiry(changed.expiresAt());
    return changed.info();
  }

  private SandboxRecord limited(SandboxRecord row, TimeLimits limits) {
    SandboxSpec spec = row.spec();
    Duration life = limits.timeToLive();
    Duration idle = limits.idleTimeout() == null ? spec.idleTimeout() : limits.idleTimeout();
    if (idle.isNegative() || (life != null && life.isNegative())) {
      throw new SandboxException(ErrorCode.INVALID_LIMITS, "times cannot be negative");
    }
    Instant expires = row.expiresAt();
    if (life != null) {
      expires = life.isZero() ? null : parts.clock().now().plus(life);
    }
    SandboxSpec changed =
        new SandboxSpec(
            spec.owner(),
            spec.namespace(),
            spec.name(),
            spec.image(),
            spec.isolation(),
            spec.limits(),
            spec.environment(),
            spec.labels(),
            spec.network(),
            expires == null ? null : Duration.between(row.createdAt(), expires),
            idle,
            spec.ephemeral());
    return row.limited(changed, expires);
  }

  // ---------------------------------------------------------------- end

  /// It ended by itself, or cannot go on.
  private void died(Sandbox sandbox, Session session, EndReason reason) {
    if (!sandbox.beginEnd(session)) {
      return;
    }
    session.close(
        reason == EndReason.OUT_OF_MEMORY ? Outcome.OUT_OF_MEMORY : Outcome.SANDBOX_ENDED);
    finish(sandbox, session, reason, false, sandbox.record().spec().ephemeral());
  }

  /// Stops a running one. An ephemeral one is removed with that.
  SandboxInfo stop(Sandbox sandbox, EndReason reason) {
    Duration patience = parts.settings().timings().busy();
    if (!sandbox.begin(SandboxState.STOPPING, SandboxState.STOPPED, patience)) {
      return sandbox.record().info();
    }
    finish(sandbox, sandbox.session(), reason, true, sandbox.record().spec().ephemeral());
    return sandbox.record().info();
  }

  /// Kills it at once: whoever wants its programs to end in order stops it.
  void delete(Sandbox sandbox, EndReason reason) {
    sandbox.begin(SandboxState.DELETING, null, parts.settings().timings().busy());
    finish(sandbox, sandbox.session(), reason, false, true);
  }

  private void finish(
      Sandbox sandbox,
      @Nullable Session session,
      EndReason reason,
      boolean graceful,
      boolean remove) {
    LOG.log(
        System.Logger.Level.DEBUG,
        () -> "ending " + sandbox.record().id() + ": " + reason.wireName());
    sandbox.log().info("ended: " + reason.wireName());
    takeDown.mark(sandbox.record(), reason, remove);
    boolean clean =
        session == null
            ? takeDown.removeLaunch(sandbox.record())
            : takeDown.end(sandbox, session, graceful);
    if (remove) {
      takeDown.remove(sandbox, reason, clean);
    } else {
      takeDown.stopped(sandbox, reason, clean);
    }
  }
}
