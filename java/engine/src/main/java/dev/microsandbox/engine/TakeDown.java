package dev.microsandbox.engine;

import dev.microsandbox.isolation.IsolationDriver;
import dev.microsandbox.model.EndReason;
import dev.microsandbox.model.IsolationKind;
import dev.microsandbox.model.Outcome;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxId;
import dev.microsandbox.model.SandboxState;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// The way down: processes, then what the driver made, then the disk, then the record. Whoever
/// calls has the sandbox's turn.
final class TakeDown {
  private static final System.Logger LOG = System.getLogger(TakeDown.class.getName());
  private static final int TRIES = 3;
  private static final Duration BETWEEN_TRIES = Duration.ofMillis(200);

  private final Lifecycle.Parts parts;

  TakeDown(Lifecycle.Parts parts) {
    this.parts = parts;
  }

  /// Ends what runs.
  ///
  /// @param graceful whether it is asked first
  /// @return false where something may be left of it, which stays in the journal
  boolean end(Sandbox sandbox, Session session, boolean graceful) {
    session.startEnding();
    if (graceful) {
      askToEnd(session);
    }
    boolean clean = kill(sandbox, session);
    session.close(Outcome.SANDBOX_ENDED);
    return clean;
  }

  private void askToEnd(Session session) {
    Duration patience = parts.settings().timings().stop();
    try {
      // The agent gets less than the host waits, so that it can kill what resists by itself.
      session.agent().shutdown(patience.dividedBy(2));
      session.running().ended().get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException | SandboxException e) {
      LOG.log(System.Logger.Level.DEBUG, "a sandbox did not end by itself", e);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt(); // it is killed all the same
    }
  }

  private boolean kill(Sandbox sandbox, Session session) {
    try {
      session.running().kill();
      return true;
    } catch (RuntimeException e) {
      LOG.log(System.Logger.Level.WARNING, "a sandbox could not be taken down at once", e);
      return removeLaunch(sandbox.record());
    }
  }

  /// From what the driver finds by the id alone, more than once where it fails.
  boolean removeLaunch(SandboxRecord row) {
    IsolationDriver driver = parts.drivers().of(row.isolation());
    return tried("what is left of " + row.id(), () -> driver.remove(row.id()));
  }

  private static boolean tried(String what, Runnable action) {
    for (int i = 1; i <= TRIES; i++) {
      try {
        action.run();
        return true;
      } catch (RuntimeException e) {
        LOG.log(System.Logger.Level.WARNING, what + " could not be removed, try " + i, e);
      }
      try {
        Thread.sleep(BETWEEN_TRIES);
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
        return false;
      }
    }
    LOG.log(System.Logger.Level.ERROR, what + " stays behind until the server is started again");
    return false;
  }

  /// Notes that it is stopped; its disk stays.
  void stopped(Sandbox sandbox, EndReason reason, boolean clean) {
    SandboxRecord row = sandbox.record().stopped(parts.clock().now(), reason);
    try {
      if (clean) {
        parts.store().landed(row);
      } else {
        parts.store().update(row);
      }
    } catch (SandboxException e) {
      // What is stored is out of date, but a start of the server puts it right.
      LOG.log(System.Logger.Level.WARNING, "a stop could not be stored", e);
    }
    sandbox.settleStopped(row);
  }

  /// Stored first, so that a server that dies in the middle goes on with it when it starts again. A
  /// full disk does not keep anybody from ending and deleting, which is what frees it.
  void mark(SandboxRecord row, EndReason reason, boolean remove) {
    try {
      parts
          .store()
          .update(row.ending(remove ? SandboxState.DELETING : SandboxState.STOPPING, reason));
    } catch (SandboxException e) {
      LOG.log(System.Logger.Level.WARNING, "an end could not be stored ahead", e);
    }
  }

  /// Removes its disk and its record. Where that fails it stays, stopped, to be deleted again.
  ///
  /// @param landed whether nothing is left of its launch
  void remove(Sandbox sandbox, EndReason reason, boolean landed) {
    SandboxRecord row = sandbox.record();
    SandboxRecord ended = row.stopped(parts.clock().now(), reason);
    IsolationDriver driver = parts.drivers().of(row.isolation());
    boolean clean = landed && tried("the disk of " + row.id(), () -> driver.removeDisk(row.id()));
    try {
      if (clean) {
        parts.store().remove(row.id());
      } else {
        parts.store().setAside(row.id());
      }
    } catch (SandboxException e) {
      sandbox.settleStopped(ended);
      throw e;
    }
    // What stays behind is in the journal with its ids; the name is free either way.
    parts.registry().remove(sandbox);
    sandbox.settleGone(ended);
  }

  /// Removes all that is left of a sandbox that nobody has, and strikes it out.
  ///
  /// @return false where something stays behind, and in the journal
  boolean removeAll(IsolationKind kind, SandboxId id) {
    IsolationDriver driver = parts.drivers().of(kind);
    boolean clean =
        tried("what is left of " + id, () -> driver.remove(id))
            && tried("the disk of " + id, () -> driver.removeDisk(id));
    if (clean) {
      parts.store().remove(id);
    }
    return clean;
  }

  /// A create has failed after it was stored.
  void undoCreate(Sandbox sandbox) {
    try {
      remove(sandbox, EndReason.STOPPED, removeLaunch(sandbox.record()));
    } catch (SandboxException e) {
      LOG.log(System.Logger.Level.WARNING, "a failed create could not be undone in the store", e);
      parts.registry().remove(sandbox);
      sandbox.settleGone(sandbox.record());
    }
  }

  /// A start has failed after it was journaled: the sandbox is stopped, as before.
  void undoStart(Sandbox sandbox) {
    stopped(sandbox, EndReason.EXITED, removeLaunch(sandbox.record()));
  }
}
