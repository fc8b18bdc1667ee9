package dev.microsandbox.engine;

import dev.microsandbox.model.SandboxException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;

/// Writes down, for a later server, which runs are under way and when sandboxes were last used.
///
/// Behind what happens, and many changes in one transaction: a cell that takes less than the delay
/// costs the disk nothing. Where it cannot be written a later server knows less of the runs that it
/// finds, and nothing else is harmed.
final class Journal {
  private static final System.Logger LOG = System.getLogger(Journal.class.getName());
  private static final Duration DELAY = Duration.ofMillis(100);

  private final Store store;
  private final Timers timers;
  private final Queue<Run> begun = new ConcurrentLinkedQueue<>();
  private final Queue<RunRecord> over = new ConcurrentLinkedQueue<>();
  private final Queue<Session> used = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean scheduled = new AtomicBoolean();

  Journal(Store store, Timers timers) {
    this.store = store;
    this.timers = timers;
  }

  /// A run is under way; it is written if it still is after a moment.
  void begun(Run run) {
    begun.add(run);
    schedule();
  }

  /// A run is over that may have been written.
  void over(RunRecord run) {
    over.add(run);
    schedule();
  }

  /// A sandbox has been used, or has outlived something.
  void used(Session session) {
    used.add(session);
    schedule();
  }

  private void schedule() {
    if (!scheduled.get() && scheduled.compareAndSet(false, true)) {
      timers.after(DELAY, this::write);
    }
  }

  /// Writes what there is to be written, now.
  synchronized void write() {
    scheduled.set(false);
    // In this order: a run that ends meanwhile is struck out later at the latest.
    List<RunRecord> ended = drained(over);
    List<RunRecord> living = new ArrayList<>();
    for (Run run : drained(begun)) {
      RunRecord row = run.record();
      if (row != null) {
        living.add(row);
      }
    }
    List<Store.Use> uses =
        drained(used).stream()
            .map(each -> new Store.Use(each.running().id(), each.lastUsed(), each.oomKills()))
            .toList();
    if (ended.isEmpty() && living.isEmpty() && uses.isEmpty()) {
      return;
    }
    try {
      store.journal(living, ended, uses);
    } catch (SandboxException e) {
      LOG.log(System.Logger.Level.WARNING, "the journal of runs could not be written", e);
    }
  }

  private static <T> List<T> drained(Queue<T> queue) {
    List<T> all = new ArrayList<>();
    for (T next = queue.poll(); next != null; next = queue.poll()) {
      all.add(next);
    }
    return all;
  }
}
