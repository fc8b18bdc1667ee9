package dev.microsandbox.agent;

import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The time that an agent has while it is its turn to go on with a file. The time in which the host
/// does nothing does not count.
final class Turn {
  static final Duration PATIENCE = Duration.ofSeconds(60);

  private final Object lock;
  private long deadline;

  /// @param lock which is held when this is called, and notified of each change
  Turn(Object lock) {
    this.lock = lock;
  }

  /// From now on it is the agent's turn.
  void begin(Channel channel) {
    if (channel.loop().isCurrent()) {
      throw new IllegalStateException("a listener must not wait for a file");
    }
    deadline = System.nanoTime() + PATIENCE.toNanos();
  }

  /// Waits for a change, which may be any; gives the failure once the time is up.
  @Nullable SandboxException await() {
    long left = (deadline - System.nanoTime()) / 1_000_000;
    if (left <= 0) {
      return new SandboxException(
          ErrorCode.TIMED_OUT, "the sandbox did not go on with the file in time; try again");
    }
    try {
      lock.wait(left);
      return null;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new SandboxException(
          ErrorCode.SHUTTING_DOWN, "interrupted while the sandbox worked", Map.of(), e);
    }
  }
}
