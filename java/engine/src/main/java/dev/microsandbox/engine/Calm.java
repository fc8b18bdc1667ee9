package dev.microsandbox.engine;

import java.time.Duration;

/// Lets work that nobody waits for yield to work that somebody does.
final class Calm {
  private int underway;
  private long lastEnd = System.nanoTime();

  /// Something that somebody waits for, until it is closed.
  interface Busy extends AutoCloseable {
    @Override
    void close();
  }

  synchronized Busy begin() {
    underway++;
    return this::end;
  }

  private synchronized void end() {
    underway--;
    lastEnd = System.nanoTime();
    notifyAll();
  }

  /// Waits until nothing has been under way for a while.
  ///
  /// @param longest after this it does not yield any more, for a server that is never calm needs
  ///   the work as well
  synchronized void await(Duration quiet, Duration longest) throws InterruptedException {
    long deadline = System.nanoTime() + longest.toNanos();
    while (true) {
      long now = System.nanoTime();
      long calmAt = underway > 0 ? deadline : lastEnd + quiet.toNanos();
      long left = Math.min(calmAt, deadline) - now;
      if (left <= 0) {
        return;
      }
      wait(Math.max(1, left / 1_000_000));
    }
  }
}
