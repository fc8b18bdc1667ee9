package dev.microsandbox;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Ends a connection on which nothing has come for too long: sockets of the unix kind have no time
/// limit of their own.
///
/// A limit is a field that is written before each wait. A task looks at it when it may have passed,
/// so that a connection with many short exchanges has one task a minute and not one an exchange.
final class Silence {
  /// Within an answer.
  static final Duration LIMIT = Duration.ofSeconds(60);

  private static final long NONE = Long.MAX_VALUE;

  private final Runnable end;
  private final long begin = System.nanoTime();
  private volatile long deadline = NONE;
  private volatile boolean over;
  private long nextLook = NONE;

  /// @param end closes the connection
  Silence(Runnable end) {
    this.end = end;
  }

  /// Something must come within this time; null for no limit.
  void atMost(@Nullable Duration limit) {
    if (limit == null) {
      deadline = NONE;
      return;
    }
    deadline = now() + limit.toNanos();
    lookAt(deadline);
  }

  /// Nothing is waited for.
  void rest() {
    deadline = NONE;
  }

  /// What to tell of a failure: that this has ended the connection, or else the failure itself.
  IOException reason(IOException failure) {
    return over ? new IOException("nothing came within the time limit", failure) : failure;
  }

  private long now() {
    return System.nanoTime() - begin;
  }

  private synchronized void lookAt(long time) {
    if (time >= nextLook) {
      return;
    }
    nextLook = time;
    Clock.EXECUTOR.schedule(this::look, time - now(), TimeUnit.NANOSECONDS);
  }

  private void look() {
    synchronized (this) {
      nextLook = NONE;
    }
    long limit = deadline;
    if (limit == NONE) {
      return;
    }
    if (now() < limit) {
      lookAt(limit);
      return;
    }
    over = true;
    end.run();
  }

  /// One thread for all, made when the first limit is set.
  private static final class Clock {
    private static final ScheduledThreadPoolExecutor EXECUTOR = make();

    private static ScheduledThreadPoolExecutor make() {
      ScheduledThreadPoolExecutor made =
          new ScheduledThreadPoolExecutor(
              1, Thread.ofPlatform().daemon().name("microsandbox-silence").factory());
      made.setKeepAliveTime(1, TimeUnit.SECONDS);
      made.allowCoreThreadTimeOut(true);
      return made;
    }
  }
}
