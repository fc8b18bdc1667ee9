package dev.microsandbox.engine;

import dev.microsandbox.isolation.IsolationDriver;
import dev.microsandbox.model.EndReason;
import dev.microsandbox.model.SandboxId;
import dev.microsandbox.model.SandboxState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.function.Predicate;

/// Puts the host in order when a server starts. What another one left running is to be taken over;
/// what it left half made or half ended is removed down to the last mount; stopped sandboxes keep
/// their disks.
final class Reconciler {
  private static final System.Logger LOG = System.getLogger(Reconciler.class.getName());
  private static final int SIDE_BY_SIDE = 8;

  private final Store store;
  private final Drivers drivers;
  private final EngineClock clock;

  Reconciler(Store store, Drivers drivers, EngineClock clock) {
    this.store = store;
    this.drivers = drivers;
    this.clock = clock;
  }

  /// What there is once order is made.
  ///
  /// @param stopped sandboxes of which there is a disk and nothing else
  /// @param orphans those that ran when their server ended; nothing of them has been touched
  record Found(List<SandboxRecord> stopped, List<Orphan> orphans) {}

  Found run() {
    List<Orphan> orphans =
        store.orphans().stream().filter(orphan -> drivers.has(orphan.row().isolation())).toList();
    Map<SandboxId, SandboxRecord> rows = new HashMap<>();
    store.sandboxes().forEach(row -> rows.put(row.id(), row));
    Set<SandboxId> onHost = new HashSet<>();
    drivers.all().forEach(driver -> onHost.addAll(leftovers(driver)));
    Set<SandboxId> launched = store.launched();
    Set<SandboxId> known = new HashSet<>(rows.keySet());
    known.addAll(store.journaled());
    known.addAll(onHost);
    orphans.forEach(orphan -> known.remove(orphan.row().id()));
    return new Found(
        clear(known, rows, id -> launched.contains(id) || onHost.contains(id)), orphans);
  }

  private static Set<SandboxId> leftovers(IsolationDriver driver) {
    try {
      return driver.leftovers();
    } catch (RuntimeException e) {
      // The journal knows most of it, and a server that does not start would help nobody.
      LOG.log(System.Logger.Level.ERROR, "the host could not be searched for what is left", e);
      return Set.of();
    }
  }

  private List<SandboxRecord> clear(
      Set<SandboxId> known, Map<SandboxId, SandboxRecord> rows, Predicate<SandboxId> touched) {
    List<SandboxRecord> kept = new ArrayList<>();
    Set<SandboxId> resisting = ConcurrentHashMap.newKeySet();
    Semaphore places = new Semaphore(SIDE_BY_SIDE);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (SandboxId id : known) {
        SandboxRecord row = rows.get(id);
        boolean keep = survives(rows, id);
        if (row != null && keep) {
          kept.add(row.state() == SandboxState.STOPPED ? row : killed(row));
        }
        if (touched.test(id) || !keep) {
          threads.execute(() -> {
            if (!clearOne(places, id, keep)) {
              resisting.add(id);
            }
          });
        }
      }
    }
    rows.keySet().stream()
        .filter(id -> resisting.contains(id) && !survives(rows, id))
        .forEach(store::setAside);
    for (SandboxRecord row : kept) {
      if (resisting.contains(row.id())) {
        store.update(row);
      } else if (rows.get(row.id()) != row) {
        store.landed(row);
      }
    }
    return kept;
  }

  /// A sandbox whose creation had not been answered, that was to go when stopped, or that was being
  /// deleted, does not come back.
  private static boolean survives(SandboxRecord row) {
    boolean created = row.startedAt() != null;
    return created && !row.spec().ephemeral() && row.state() != SandboxState.DELETING;
  }

  private static boolean survives(Map<SandboxId, SandboxRecord> rows, SandboxId id) {
    SandboxRecord row = rows.get(id);
    return row != null && survives(row);
  }

  /// Where its end had begun, that goes on for its own reason.
  private SandboxRecord killed(SandboxRecord row) {
    EndReason begun = row.state() == SandboxState.STOPPING ? row.endReason() : null;
    return row.stopped(clock.now(), begun == null ? EndReason.SERVER_STOPPED : begun);
  }

  /// False where something may be left.
  private boolean clearOne(Semaphore places, SandboxId id, boolean keepDisk) {
    places.acquireUninterruptibly();
    try {
      for (IsolationDriver driver : drivers.all()) {
        driver.remove(id);
        if (!keepDisk) {
          driver.removeDisk(id);
        }
      }
      if (!keepDisk) {
        store.remove(id);
      }
      return true;
    } catch (RuntimeException e) {
      // It stays in the journal, and with it its ids: the next start tries again.
      LOG.log(System.Logger.Level.ERROR, "what is left of " + id + " could not be removed", e);
      return false;
    } finally {
      places.release();
    }
  }
}
