package dev.microsandbox.engine;

import dev.microsandbox.isolation.Usage;
import java.time.Duration;

/// Turns processing time used into a share of one CPU, from one question to the next.
final class CpuMeter {
  /// Questions closer together get the same answer, for the difference would be noise.
  private static final long SHORTEST = Duration.ofMillis(50).toNanos();

  private final EngineClock clock;
  private long at;
  private long used;
  private double last;

  /// @param before used already, by nobody who is to answer for it
  CpuMeter(EngineClock clock, Duration before) {
    this.clock = clock;
    this.at = clock.nanos();
    this.used = before.toNanos();
  }

  synchronized double percent(Usage usage) {
    long now = clock.nanos();
    long elapsed = now - at;
    if (elapsed >= SHORTEST) {
      long usedNow = usage.cpuTime().toNanos();
      last = Math.max(0, 100.0 * (usedNow - used) / elapsed);
      at = now;
      used = usedNow;
    }
    return last;
  }
}
