package dev.microsandbox.server;

import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import java.time.Duration;

/// How much memory the bodies of all requests and answers may hold at once. Each alone is bounded;
/// a thousand of them together would fill the heap.
final class BodyBudget {
  private final long total;
  private long used;

  BodyBudget(long total) {
    this.total = total;
  }

  /// A share, to be grown with the body and closed when the body is no longer held.
  Share open() {
    return new Share();
  }

  private synchronized boolean take(long bytes) {
    if (used + bytes > total) {
      return false;
    }
    used += bytes;
    return true;
  }

  private synchronized boolean take(long bytes, Duration patience) throws InterruptedException {
    long deadline = System.nanoTime() + patience.toNanos();
    while (!take(bytes)) {
      long left = (deadline - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        return false;
      }
      wait(left);
    }
    return true;
  }

  private synchronized void giveBack(long bytes) {
    used -= bytes;
    notifyAll();
  }

  /// What one request or answer holds. For one thread, but for [#close].
  final class Share implements AutoCloseable {
    private long size;
    private boolean closed;

    /// Waits for nobody.
    ///
    /// @throws SandboxException `too_many_requests` where nothing is left
    void grow(long bytes) {
      add(take(bytes), bytes);
    }

    /// @param patience how long to wait for others to give back
    /// @throws SandboxException `too_many_requests` where nothing is left
    void grow(long bytes, Duration patience) throws InterruptedException {
      add(take(bytes, patience), bytes);
    }

    private void add(boolean taken, long bytes) {
      if (!taken) {
        throw new SandboxException(
            ErrorCode.TOO_MANY_REQUESTS, "too many large requests at once; try again in a moment");
      }
      synchronized (this) {
        if (!closed) {
          size += bytes;
          return;
        }
      }
      giveBack(bytes);
    }

    @Override
    public void close() {
      long held;
      synchronized (this) {
        closed = true;
        held = size;
        size = 0;
      }
      if (held > 0) {
        giveBack(held);
      }
    }
  }
}
