package dev.microsandbox.engine;

import dev.microsandbox.model.EndReason;
import dev.microsandbox.model.SandboxException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;

/// Ends sandboxes whose time is over: expired ones are removed, unused ones stopped. From time to
/// time it has noted when each was last used, for a later server to count on from there.
final class Sweeper {
  private static final System.Logger LOG = System.getLogger(Sweeper.class.getName());

  private static final Duration NOTE_EVERY = Duration.ofSeconds(30);

  private final Registry registry;
  private final Lifecycle lifecycle;
  private final Journal journal;
  private final EngineClock clock;
  private final AtomicBoolean looking = new AtomicBoolean();
  private long noted;

  Sweeper(Registry registry, Lifecycle lifecycle, Journal journal, EngineClock clock) {
    this.registry = registry;
    this.lifecycle = lifecycle;
    this.journal = journal;
    this.clock = clock;
    this.noted = clock.nanos();
  }

  /// Looks once. Each sandbox is ended in a thread of its own: one that takes long keeps no other
  /// alive.
  void sweep() {
    if (!looking.compareAndSet(false, true)) {
      return;
    }
    try {
      boolean note = clock.nanos() - noted >= NOTE_EVERY.toNanos();
      if (note) {
        noted = clock.nanos();
      }
      for (Sandbox sandbox : registry.all()) {
        Session session = note ? sandbox.session() : null;
        if (session != null && session.usedSinceNoted()) {
          journal.used(session);
        }
        if (sandbox.isExpired()) {
          end(sandbox, () -> lifecycle.delete(sandbox, EndReason.EXPIRED));
        } else if (sandbox.isIdle()) {
          end(sandbox, () -> lifecycle.stop(sandbox, EndReason.IDLE));
        }
      }
    } finally {
      looking.set(false);
    }
  }

  private static void end(Sandbox sandbox, Runnable action) {
    Thread.startVirtualThread(() -> {
      try {
        action.run();
      } catch (SandboxException e) {
        LOG.log(
            System.Logger.Level.DEBUG,
            () -> sandbox.record().id() + " could not be ended now: " + e.message());
      }
    });
  }
}
