package dev.microsandbox.engine;

import java.time.Duration;
import java.time.Instant;

/// A clock that a test moves.
final class TestClock implements EngineClock {
  private Instant now = Instant.parse("2030-01-01T00:00:00Z");
  private long nanos = 1_000_000;

  @Override
  public synchronized Instant now() {
    return now;
  }

  @Override
  public synchronized long nanos() {
    return nanos;
  }

  /// Time passes.
  synchronized void advance(Duration by) {
    now = now.plus(by);
    nanos += by.toNanos();
  }

  /// Somebody sets the host's clock; no time passes.
  synchronized void step(Duration by) {
    now = now.plus(by);
  }
}
