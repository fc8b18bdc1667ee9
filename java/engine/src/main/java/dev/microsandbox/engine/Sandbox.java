package dev.microsandbox.engine;

import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxState;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// One sandbox in the server's memory: its record, its session while it runs, and whose turn it is
/// to change it. The lock is held for moments only, never while something is waited for.
final class Sandbox {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition settled = lock.newCondition();
  private final EngineClock clock;
  private SandboxLog log;
  private SandboxRecord record;
  private @Nullable Session session;
  private Admission.@Nullable Permit permit;
  private boolean gone;
  private boolean orphaned;

  /// By the monotonic clock, so that a change of the host's time ends nothing; null for never.
  private @Nullable Long expiresAt;

  Sandbox(SandboxRecord record, EngineClock clock) {
    this.record = record;
    this.clock = clock;
    this.log = new SandboxLog(clock);
    setExpiry(record.expiresAt());
  }

  /// One that an earlier server left running: its turn is taken until it is known what has become
  /// of it, and who needs it waits.
  static Sandbox orphaned(SandboxRecord record, EngineClock clock) {
    Sandbox sandbox = new Sandbox(record, clock);
    sandbox.orphaned = true;
    return sandbox;
  }

  SandboxRecord record() {
    lock.lock();
    try {
      return record;
    } finally {
      lock.unlock();
    }
  }

  SandboxLog log() {
    lock.lock();
    try {
      return log;
    } finally {
      lock.unlock();
    }
  }

  @Nullable Session session() {
    lock.lock();
    try {
      return session;
    } finally {
      lock.unlock();
    }
  }

  /// The session of a running sandbox; null where that cannot be told without waiting, or it does
  /// not run.
  @Nullable Session runningNow() {
    lock.lock();
    try {
      return orphaned || record.state() != SandboxState.RUNNING ? null : session;
    } finally {
      lock.unlock();
    }
  }

  /// The session of a running sandbox, waiting while it is being started.
  Session running(Duration patience) {
    lock.lock();
    try {
      if (orphaned || record.state() == SandboxState.STARTING) {
        awaitSettled(patience);
      }
      if (session == null || record.state() != SandboxState.RUNNING) {
        throw new SandboxException(
            gone ? ErrorCode.SANDBOX_NOT_FOUND : ErrorCode.SANDBOX_NOT_RUNNING,
            gone ? "no such sandbox" : "the sandbox does not run; start it first");
      }
      return session;
    } finally {
      lock.unlock();
    }
  }

  /// Takes the turn to change it, as soon as nobody else has it.
  ///
  /// @return false where it is already in the state that the change would lead to
  /// @throws SandboxException `sandbox_busy`, or `sandbox_not_found` where it is gone by then
  boolean begin(SandboxState via, @Nullable SandboxState wanted, Duration patience) {
    lock.lock();
    try {
      awaitSettled(patience);
      if (gone) {
        throw new SandboxException(ErrorCode.SANDBOX_NOT_FOUND, "no such sandbox");
      }
      if (record.state() == wanted) {
        return false;
      }
      record = record.in(via);
      return true;
    } finally {
      lock.unlock();
    }
  }

  /// Takes the turn to stop it, only where this session runs and nobody else has the turn.
  boolean beginEnd(Session dead) {
    lock.lock();
    try {
      if (session != dead || record.state() != SandboxState.RUNNING) {
        return false;
      }
      record = record.in(SandboxState.STOPPING);
      return true;
    } finally {
      lock.unlock();
    }
  }

  /// Whether its name may soon be free.
  boolean isLeaving() {
    lock.lock();
    try {
      return gone
          || orphaned
          || record.state() == SandboxState.DELETING
          || (record.state() == SandboxState.STOPPING && record.spec().ephemeral());
    } finally {
      lock.unlock();
    }
  }

  void waitUntilSettled(Duration patience) {
    lock.lock();
    try {
      awaitSettled(patience);
    } finally {
      lock.unlock();
    }
  }

  private void awaitSettled(Duration patience) {
    long left = patience.toNanos();
    while (!gone && inTransition()) {
      if (left <= 0) {
        throw new SandboxException(
            ErrorCode.SANDBOX_BUSY,
            "the sandbox is "
                + (orphaned ? "being taken over" : record.state().wireName())
                + "; try again in a moment");
      }
      try {
        left = settled.awaitNanos(left);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new SandboxException(ErrorCode.SANDBOX_BUSY, "the wait was interrupted");
      }
    }
  }

  private boolean inTransition() {
    return orphaned
        || (record.state() != SandboxState.RUNNING && record.state() != SandboxState.STOPPED);
  }

  // ---------------------------------------------------------------- by whom has the turn

  /// While it is being changed.
  void set(SandboxRecord changed) {
    lock.lock();
    try {
      record = changed;
    } finally {
      lock.unlock();
    }
  }

  /// Becomes one that was launched before it was asked for, with the log that this has.
  void become(SandboxRecord claimed, SandboxLog itsLog) {
    lock.lock();
    try {
      record = claimed;
      log = itsLog;
    } finally {
      lock.unlock();
    }
  }

  /// Changes the record without its state; anybody may, at any time.
  SandboxRecord change(UnaryOperator<SandboxRecord> how) {
    lock.lock();
    try {
      record = how.apply(record);
      return record;
    } finally {
      lock.unlock();
    }
  }

  void admit(Admission.Permit granted) {
    lock.lock();
    try {
      permit = granted;
    } finally {
      lock.unlock();
    }
  }

  void settleRunning(SandboxRecord changed, Session started) {
    lock.lock();
    try {
      record = changed;
      session = started;
      orphaned = false;
      settled.signalAll();
    } finally {
      lock.unlock();
    }
  }

  void settleStopped(SandboxRecord changed) {
    settle(changed, false);
  }

  void settleGone(SandboxRecord changed) {
    settle(changed, true);
  }

  private void settle(SandboxRecord changed, boolean isGone) {
    lock.lock();
    try {
      record = changed;
      session = null;
      orphaned = false;
      gone = isGone;
      if (permit != null) {
        permit.close();
        permit = null;
      }
      settled.signalAll();
    } finally {
      lock.unlock();
    }
  }

  // ---------------------------------------------------------------- time to live

  void setExpiry(@Nullable Instant at) {
    Long nanos =
        at == null ? null : (Long) (clock.nanos() + Duration.between(clock.now(), at).toNanos());
    lock.lock();
    try {
      expiresAt = nanos;
    } finally {
      lock.unlock();
    }
  }

  boolean isExpired() {
    lock.lock();
    try {
      return !gone && expiresAt != null && clock.nanos() - expiresAt >= 0;
    } finally {
      lock.unlock();
    }
  }

  boolean isIdle() {
    lock.lock();
    try {
      Duration limit = record.spec().idleTimeout();
      return session != null
          && record.state() == SandboxState.RUNNING
          && limit.isPositive()
          && session.idle().compareTo(limit) >= 0;
    } finally {
      lock.unlock();
    }
  }
}
