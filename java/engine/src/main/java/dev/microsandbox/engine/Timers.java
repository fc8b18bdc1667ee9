package dev.microsandbox.engine;

import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/// Deadlines on the host's monotonic clock. Each action runs in a virtual thread of its own, so
/// that none waits for another.
final class Timers implements AutoCloseable {
  private final ScheduledThreadPoolExecutor executor;

  Timers() {
    executor =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().name("engine-timers").daemon().factory());
    executor.setRemoveOnCancelPolicy(true);
    executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
  }

  ScheduledFuture<?> after(Duration delay, Runnable action) {
    return executor.schedule(
        () -> Thread.startVirtualThread(action), delay.toNanos(), TimeUnit.NANOSECONDS);
  }

  ScheduledFuture<?> every(Duration interval, Runnable action) {
    return executor.scheduleWithFixedDelay(
        () -> Thread.startVirtualThread(action),
        interval.toNanos(),
        interval.toNanos(),
        TimeUnit.NANOSECONDS);
  }

  @Override
  public void close() {
    executor.shutdownNow();
  }
}
