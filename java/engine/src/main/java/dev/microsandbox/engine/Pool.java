package dev.microsandbox.engine;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// The sandboxes of one key: those that are ready, those on their way, and who waits for one.
final class Pool {
  private final PoolKey key;
  private final EngineClock clock;
  private final Demand demand;
  private final BackOff backOff;
  private final Deque<PoolMember> ready = new ArrayDeque<>();

  /// Launched, with interpreters that are still starting.
  private final Deque<PoolMember> warming = new ArrayDeque<>();

  private final Deque<CompletableFuture<@Nullable PoolMember>> waiters = new ArrayDeque<>();
  private int launching;
  private int target;
  private int standing;
  private @Nullable Bounds bounds;
  private PoolStatus.@Nullable Trouble held;
  private long hits;
  private long waits;
  private long misses;
  private long refills;
  private long failures;

  /// What an administrator has set for this key.
  ///
  /// @param maximum null for the server's
  record Bounds(int minimum, @Nullable Integer maximum) {}

  Pool(PoolKey key, EngineClock clock, Duration idle) {
    this.key = key;
    this.clock = clock;
    this.demand = new Demand(clock, idle);
    this.backOff = new BackOff(clock);
  }

  PoolKey key() {
    return key;
  }

  // ---------------------------------------------------------------- claims

  synchronized void asked() {
    demand.asked();
  }

  /// One that can be claimed at once; the caller looks whether it is good.
  synchronized @Nullable PoolMember take() {
    PoolMember member = ready.pollFirst();
    return member != null ? member : warming.pollFirst();
  }

  synchronized void hit() {
    hits++;
    backOff.succeeded();
  }

  synchronized void missed() {
    misses++;
  }

  /// Waits for one that is being launched, where there are more of these than of those who wait.
  ///
  /// @return null where there is none to be had
  @Nullable PoolMember awaitNext(Duration patience) {
    CompletableFuture<@Nullable PoolMember> next = new CompletableFuture<>();
    synchronized (this) {
      if (launching <= waiters.size()) {
        return null;
      }
      waiters.addLast(next);
    }
    PoolMember member = null;
    try {
      member = next.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException _) {
      member = next.complete(null) ? null : next.getNow(null);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      member = next.complete(null) ? null : next.getNow(null);
    }
    synchronized (this) {
      waiters.remove(next);
      if (member != null) {
        waits++;
        backOff.succeeded();
      }
    }
    return member;
  }

  // ---------------------------------------------------------------- refills

  /// How many could be started now: 0 while it backs off.
  synchronized int lacks() {
    return backOff.isOver() ? target - size() : 0;
  }

  synchronized void launching() {
    launching++;
    refills++;
  }

  /// A launch is done.
  ///
  /// @return whether it stays in the pool, where its interpreters go on starting
  synchronized boolean launched(PoolMember member) {
    launching--;
    for (CompletableFuture<@Nullable PoolMember> next = waiters.pollFirst();
        next != null;
        next = waiters.pollFirst()) {
      if (next.complete(member)) {
        return false;
      }
    }
    warming.addLast(member);
    return true;
  }

  /// Nothing has come of a launch: who waits for it makes a sandbox itself.
  synchronized void launchFailed(String why) {
    launching--;
    failures++;
    backOff.failed(why);
    while (waiters.size() > launching) {
      waiters.removeFirst().complete(null);
    }
  }

  /// Its interpreters are ready; it may have been claimed before that.
  synchronized void warmed(PoolMember member) {
    if (warming.remove(member)) {
      ready.addLast(member);
    }
  }

  /// It has ended, or its interpreters do not start, or it cannot stay.
  ///
  /// @param why null where that says nothing about the next one
  /// @return whether it was here, and so is the caller's to take down
  synchronized boolean lost(PoolMember member, @Nullable String why) {
    if (!warming.remove(member) && !ready.remove(member)) {
      return false;
    }
    if (why != null) {
      failures++;
      backOff.failed(why);
    }
    return true;
  }

  // ---------------------------------------------------------------- sizes

  synchronized void setBounds(@Nullable Bounds changed) {
    bounds = changed;
  }

  /// What the server keeps of it without being told.
  synchronized void setStanding(int minimum) {
    standing = minimum;
  }

  synchronized PoolSizes.Wish wish(int standardMaximum) {
    int minimum = minimum();
    return new PoolSizes.Wish(
        key, minimum, Math.max(minimum, maximum(standardMaximum)), demand.size());
  }

  private int minimum() {
    return bounds == null ? standing : bounds.minimum();
  }

  private int maximum(int standard) {
    Integer set = bounds == null ? null : bounds.maximum();
    return set == null ? standard : set;
  }

  synchronized void setTarget(int wanted) {
    target = wanted;
  }

  /// Those beyond the target.
  synchronized List<PoolMember> surplus() {
    List<PoolMember> surplus = new ArrayList<>();
    while (size() > target && !ready.isEmpty()) {
      surplus.add(ready.removeLast());
    }
    return surplus;
  }

  synchronized List<PoolMember> takeIf(Predicate<PoolMember> unwanted) {
    List<PoolMember> taken = ready.stream().filter(unwanted).toList();
    ready.removeAll(taken);
    return taken;
  }

  synchronized List<PoolMember> takeAll() {
    List<PoolMember> all = new ArrayList<>(ready);
    all.addAll(warming);
    ready.clear();
    warming.clear();
    while (!waiters.isEmpty()) {
      waiters.removeFirst().complete(null);
    }
    return all;
  }

  /// Says why it is not refilled, where that is not its own fault; null where nothing is in the
  /// way.
  synchronized void hold(@Nullable String why) {
    if (why == null) {
      held = null;
    } else if (held == null || !held.message().equals(why)) {
      held = new PoolStatus.Trouble(why, clock.now(), null);
    }
  }

  /// Nobody wants it and nothing is in it.
  synchronized boolean isForgotten() {
    return bounds == null
        && standing == 0
        && size() == 0
        && waiters.isEmpty()
        && demand.size() == 0;
  }

  synchronized int readySize() {
    return ready.size();
  }

  synchronized int startingSize() {
    return launching + warming.size();
  }

  private int size() {
    return ready.size() + warming.size() + launching;
  }

  synchronized PoolStatus status(int standardMaximum) {
    PoolStatus.Trouble trouble = backOff.trouble();
    return new PoolStatus(
        key,
        minimum(),
        Math.max(minimum(), maximum(standardMaximum)),
        bounds != null,
        target,
        ready.size(),
        startingSize(),
        hits,
        waits,
        misses,
        refills,
        failures,
        trouble == null ? held : trouble);
  }
}
