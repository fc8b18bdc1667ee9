package dev.microsandbox.engine;

import dev.microsandbox.isolation.IdRange;
import dev.microsandbox.isolation.ProbeReport;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.IsolationKind;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxId;
import java.time.Duration;
import java.util.Map;

/// Makes the sandboxes that pools hold, and takes down those that nobody has claimed. One is in the
/// journal from before it is made until it is gone, but it has no row: a server that finds it after
/// a crash removes it.
final class PoolWorks {
  private static final System.Logger LOG = System.getLogger(PoolWorks.class.getName());
  private static final Duration LOOK = Duration.ofMillis(50);

  private final Lifecycle.Parts parts;
  private final Launcher launcher;
  private final TakeDown takeDown;

  PoolWorks(Lifecycle.Parts parts, Launcher launcher, TakeDown takeDown) {
    this.parts = parts;
    this.launcher = launcher;
    this.takeDown = takeDown;
  }

  /// Launches one and has its interpreters begin to start. When it throws, nothing is left.
  PoolMember make(PoolKey key, Admission.Place place) {
    RootfsSource.Rootfs rootfs = parts.images().resolve(key.image());
    Drivers.Able able = parts.drivers().choose(key.isolation());
    SandboxId id = SandboxId.random();
    IdRange ids = parts.store().reserve(id, key.isolation(), parts.clock().now());
    try {
      Launcher.Launched launched =
          launcher.launch(
              new Launcher.Plan(
                  able.driver(),
                  id,
                  ids,
                  key.limits(),
                  rootfs,
                  able.abilities().features().contains(ProbeReport.Feature.EGRESS_CAPTURE),
                  new SandboxLog(parts.clock()),
                  new Contexts(rootfs.info().languages())));
      return prepared(new PoolMember(key, launched, place));
    } catch (RuntimeException e) {
      remove(key.isolation(), id);
      throw e;
    }
  }

  private PoolMember prepared(PoolMember member) {
    try {
      launcher.prepare(member.launched());
      return member;
    } catch (RuntimeException e) {
      end(member);
      throw e;
    }
  }

  /// Waits until its interpreters are ready.
  void awaitReady(PoolMember member) {
    long end = System.nanoTime() + parts.settings().timings().connect().toNanos();
    while (!member.contexts().awaitReady(LOOK)) {
      if (!member.isAlive()) {
        throw failure("it ended while its interpreters started");
      }
      if (System.nanoTime() - end > 0) {
        throw failure("its interpreters did not become ready in time");
      }
    }
    member.meter();
  }

  private static SandboxException failure(String what) {
    return new SandboxException(ErrorCode.SANDBOX_FAILED, what, Map.of());
  }

  /// Takes one down that nobody has claimed, or whose claim has failed.
  void discard(PoolMember member) {
    end(member);
    remove(member.key().isolation(), member.id());
    member.leave();
  }

  private static void end(PoolMember member) {
    try {
      member.launched().agent().close();
      member.launched().running().kill();
    } catch (RuntimeException e) {
      LOG.log(System.Logger.Level.WARNING, "a pooled sandbox could not be ended at once", e);
    }
  }

  private void remove(IsolationKind kind, SandboxId id) {
    try {
      takeDown.removeAll(kind, id);
    } catch (SandboxException e) {
      // It stays in the journal: the next start of the server removes it.
      LOG.log(System.Logger.Level.WARNING, "a pooled sandbox could not be struck out", e);
    }
  }
}
