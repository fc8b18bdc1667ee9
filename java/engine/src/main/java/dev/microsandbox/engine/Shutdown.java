package dev.microsandbox.engine;

import dev.microsandbox.model.EndReason;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// Ends all sandboxes side by side, in bounded time.
final class Shutdown {
  private static final System.Logger LOG = System.getLogger(Shutdown.class.getName());

  private final Lifecycle lifecycle;
  private final Registry registry;
  private final Duration limit;

  Shutdown(Lifecycle lifecycle, Registry registry, Duration limit) {
    this.lifecycle = lifecycle;
    this.registry = registry;
    this.limit = limit;
  }

  void run() {
    List<Thread> threads = new ArrayList<>();
    for (Sandbox sandbox : registry.named()) {
      if (sandbox.record().state() != SandboxState.STOPPED) {
        threads.add(Thread.startVirtualThread(() -> stop(sandbox)));
      }
    }
    long end = System.nanoTime() + limit.toNanos();
    for (Thread thread : threads) {
      try {
        if (!thread.join(Duration.ofNanos(Math.max(1, end - System.nanoTime())))) {
          LOG.log(System.Logger.Level.WARNING, "a sandbox did not end in time");
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  private void stop(Sandbox sandbox) {
    try {
      lifecycle.stop(sandbox, EndReason.SERVER_STOPPED);
    } catch (SandboxException e) {
      LOG.log(
          System.Logger.Level.DEBUG,
          () -> sandbox.record().id() + " had been ended already: " + e.message());
    }
  }
}
