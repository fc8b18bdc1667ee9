package dev.microsandbox.engine;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;

/// How often something was asked for of late. Not for several threads at once.
final class Demand {
  private static final Duration WINDOW = Duration.ofMinutes(1);
  private static final int MOST = 1024;

  private final EngineClock clock;
  private final Duration idle;
  private final Deque<Long> times = new ArrayDeque<>();
  private long last;
  private boolean ever;

  /// @param idle after so long without a request there is none
  Demand(EngineClock clock, Duration idle) {
    this.clock = clock;
    this.idle = idle;
  }

  void asked() {
    last = clock.nanos();
    ever = true;
    times.addLast(last);
    if (times.size() > MOST) {
      times.removeFirst();
    }
  }

  /// Requests of the last minute; after that one, for as long as somebody may come back.
  int size() {
    long now = clock.nanos();
    while (!times.isEmpty() && now - times.getFirst() >= WINDOW.toNanos()) {
      times.removeFirst();
    }
    if (!times.isEmpty()) {
      return times.size();
    }
    return ever && now - last < idle.toNanos() ? 1 : 0;
  }
}
