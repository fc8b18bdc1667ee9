package dev.microsandbox.engine;

import dev.microsandbox.model.SandboxException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// Keeps pools at their sizes, behind the answers: starts what they lack at a bounded rate and when
/// nobody waits for anything, and takes down what they have too much of.
final class PoolKeeper implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(PoolKeeper.class.getName());
  private static final int SIDE_BY_SIDE = 2;
  private static final Duration LOOK = Duration.ofSeconds(1);
  private static final Duration LOOK_AT_IMAGES = Duration.ofSeconds(10);

  /// A cell often follows a creation: both are over by then.
  private static final Duration QUIET = Duration.ofMillis(20);

  private static final Duration LONGEST_YIELDING = Duration.ofMillis(250);

  private final Lifecycle.Parts parts;
  private final Pools pools;
  private final PoolWorks works;
  private final Calm calm;
  private final BooleanSupplier memoryIsShort;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Semaphore places = new Semaphore(SIDE_BY_SIDE);
  private final Semaphore wakes = new Semaphore(0);
  private final LongAdder refills = new LongAdder();
  private final LongAdder failures = new LongAdder();
  private final AtomicLong imagesSeen = new AtomicLong(Long.MIN_VALUE);
  private @Nullable Thread loop;

  /// @param memoryIsShort whether the host has little left
  PoolKeeper(
      Lifecycle.Parts parts,
      Pools pools,
      PoolWorks works,
      Calm calm,
      BooleanSupplier memoryIsShort) {
    this.parts = parts;
    this.pools = pools;
    this.works = works;
    this.calm = calm;
    this.memoryIsShort = memoryIsShort;
  }

  /// Begins; returns at once.
  synchronized void start() {
    if (parts.settings().pools().enabled() && loop == null && !pools.isClosed()) {
      loop = Thread.ofVirtual().name("pools").start(this::run);
    }
  }

  private void run() {
    Duration pace = Duration.ofSeconds(1).dividedBy(parts.settings().pools().rate());
    try {
      while (!pools.isClosed()) {
        calm.await(QUIET, LONGEST_YIELDING);
        if (tend()) {
          Thread.sleep(pace);
        } else {
          boolean _ = wakes.tryAcquire(LOOK.toMillis(), TimeUnit.MILLISECONDS);
          wakes.drainPermits();
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt(); // it ends with that
    }
  }

  /// Something has changed that may call for a sandbox.
  void wake() {
    wakes.release();
  }

  /// Looks once.
  ///
  /// @return whether a sandbox is being started for it
  boolean tend() {
    try {
      lookAtImages();
      pools.size();
      boolean isShort = memoryIsShort.getAsBoolean();
      List<Pool> all = pools.all();
      all.forEach(pool -> pool.surplus().forEach(this::discardLater));
      if (isShort) {
        all.forEach(pool -> pool.hold("the host is short of memory"));
        discardLater(pools.spare());
        return false;
      }
      Pool pool = pools.neediest();
      all.stream().filter(other -> other != pool).forEach(other -> other.hold(null));
      return pool != null && refill(pool);
    } catch (RuntimeException e) {
      LOG.log(System.Logger.Level.ERROR, "the pools could not be looked after", e);
      return false;
    }
  }

  private void lookAtImages() {
    long now = parts.clock().nanos();
    long seen = imagesSeen.get();
    if (seen != Long.MIN_VALUE && now - seen < LOOK_AT_IMAGES.toNanos()) {
      return;
    }
    imagesSeen.set(now);
    pools.keepDefaults();
    for (Pool pool : pools.all()) {
      dropOutdated(pool);
    }
  }

  private void dropOutdated(Pool pool) {
    try {
      var current = parts.images().resolve(pool.key().image()).info().digest();
      pool.takeIf(member -> !member.image().equals(current)).forEach(this::discardLater);
    } catch (SandboxException _) {
      pool.takeIf(_ -> true).forEach(this::discardLater); // the image is gone
    }
  }

  // ---------------------------------------------------------------- refills

  private boolean refill(Pool pool) {
    if (!places.tryAcquire()) {
      return false;
    }
    Admission.Place place = parts.admission().reserve(pool.key().limits(), parts.registry().size());
    pool.hold(place == null ? "the server is at its limits" : null);
    if (place == null) {
      places.release();
      return false;
    }
    pool.launching();
    refills.increment();
    threads.execute(() -> {
      try {
        make(pool, place);
      } finally {
        places.release();
        wake();
      }
    });
    return true;
  }

  private void make(Pool pool, Admission.Place place) {
    PoolMember member;
    try {
      member = works.make(pool.key(), place);
    } catch (RuntimeException e) {
      place.close();
      failures.increment();
      pool.launchFailed(why(e));
      LOG.log(System.Logger.Level.WARNING, "a pool could not be refilled", e);
      return;
    }
    if (!pool.launched(member)) {
      return; // somebody was waiting for it
    }
    watch(pool, member);
    if (pools.isClosed() || isInTheWay()) {
      lost(pool, member, null);
      return;
    }
    try {
      works.awaitReady(member);
      pool.warmed(member);
    } catch (RuntimeException e) {
      lost(pool, member, why(e));
    }
  }

  private void watch(Pool pool, PoolMember member) {
    Runnable ended = () -> lost(pool, member, "it ended before anybody had claimed it");
    member.launched().running().ended().thenRun(() -> later(ended));
    member.launched().agent().ended().thenRun(() -> later(ended));
  }

  /// @param why null where it is not the pool's fault
  private void lost(Pool pool, PoolMember member, @Nullable String why) {
    if (!pool.lost(member, why)) {
      return; // claimed or thrown away, and none of ours
    }
    if (why != null) {
      failures.increment();
      LOG.log(System.Logger.Level.WARNING, "a pooled sandbox is lost: " + why);
    }
    works.discard(member);
    wake();
  }

  private static String why(RuntimeException e) {
    return e instanceof SandboxException known
        ? known.message()
        : "a sandbox could not be started; see the server's log";
  }

  // ---------------------------------------------------------------- takedowns

  private boolean isInTheWay() {
    return parts.admission().isOverfull(parts.registry().size());
  }

  /// Lets pooled sandboxes give way to one that was asked for and admitted.
  void makeRoom() {
    while (isInTheWay()) {
      PoolMember member = pools.spare();
      if (member == null) {
        return; // what is still being launched gives way by itself
      }
      works.discard(member);
    }
  }

  void discard(PoolMember member) {
    works.discard(member);
  }

  void discardLater(@Nullable PoolMember member) {
    if (member != null) {
      later(() -> works.discard(member));
    }
  }

  /// In a thread of its own; when all is ending, in this one.
  private void later(Runnable action) {
    try {
      threads.execute(action);
    } catch (RejectedExecutionException _) {
      action.run();
    }
  }

  PoolTotals totals() {
    return pools.totals(refills.sum(), failures.sum());
  }

  /// Takes all down that nobody has claimed, in bounded time.
  @Override
  public void close() {
    pools.close().forEach(this::discardLater);
    Thread running = loop;
    if (running != null) {
      running.interrupt();
    }
    threads.shutdown();
    try {
      Duration patience = parts.settings().timings().shutdown();
      if (!threads.awaitTermination(patience.toMillis(), TimeUnit.MILLISECONDS)) {
        LOG.log(System.Logger.Level.WARNING, "a pooled sandbox did not end in time");
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
