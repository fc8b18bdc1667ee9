package dev.microsandbox.engine;

import dev.microsandbox.model.EndReason;
import dev.microsandbox.model.SandboxException;
import java.util.concurrent.atomic.AtomicBoolean;

/// Ends sandboxes whose time is over: expired ones are removed, unused ones stopped.
final class Sweeper {
  private static final System.Logger LOG = System.getLogger(Sweeper.class.getName());

  private final Registry registry;
  private final Lifecycle lifecycle;
  private final AtomicBoolean looking = new AtomicBoolean();

  Sweeper(Registry registry, Lifecycle lifecycle) {
    this.registry = registry;
    this.lifecycle = lifecycle;
  }

  /// Looks once. Each sandbox is ended in a thread of its own: one that takes long keeps no other
  /// alive.
  void sweep() {
    if (!looking.compareAndSet(false, true)) {
      return;
    }
    try {
      for (Sandbox sandbox : registry.all()) {
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
