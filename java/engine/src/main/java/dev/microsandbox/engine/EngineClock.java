package dev.microsandbox.engine;

import java.time.Instant;

/// The two clocks of the host: what people read, and what durations are measured by.
public interface EngineClock {
  Instant now();

  /// Nanoseconds that only ever go forward, from an arbitrary start.
  long nanos();

  /// The host's own.
  static EngineClock system() {
    return new EngineClock() {
      @Override
      public Instant now() {
        return Instant.now();
      }

      @Override
      public long nanos() {
        return System.nanoTime();
      }
    };
  }
}
