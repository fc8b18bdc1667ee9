package dev.microsandbox.engine;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// Waits longer after each failure, and knows why. Not for several threads at once.
final class BackOff {
  private static final Duration FIRST = Duration.ofSeconds(1);
  private static final Duration LONGEST = Duration.ofMinutes(1);

  private final EngineClock clock;
  private int failures;
  private long failedAt;
  private Duration pause = Duration.ZERO;
  private PoolStatus.@Nullable Trouble trouble;

  BackOff(EngineClock clock) {
    this.clock = clock;
  }

  void failed(String why) {
    pause = FIRST.multipliedBy(1L << Math.min(failures, 10));
    pause = pause.compareTo(LONGEST) > 0 ? LONGEST : pause;
    failures++;
    failedAt = clock.nanos();
    Instant since = trouble == null ? clock.now() : trouble.since();
    trouble = new PoolStatus.Trouble(why, since, clock.now().plus(pause));
  }

  /// It works again, as far as somebody could make use of it.
  void succeeded() {
    failures = 0;
    trouble = null;
  }

  /// Whether it may be tried now.
  boolean isOver() {
    return failures == 0 || clock.nanos() - failedAt >= pause.toNanos();
  }

  PoolStatus.@Nullable Trouble trouble() {
    return trouble;
  }
}
