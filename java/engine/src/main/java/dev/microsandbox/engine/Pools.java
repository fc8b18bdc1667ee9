package dev.microsandbox.engine;

import dev.microsandbox.model.Digest;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.ImageReference;
import dev.microsandbox.model.Limits;
import dev.microsandbox.model.SandboxException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/// All pools of a server: which there are, what is claimed from them, how large each shall be.
/// [PoolKeeper] does the work that follows from that.
final class Pools {
  /// More kinds than this are not kept, whatever callers ask for.
  private static final int MOST_KEYS = 64;

  private static final List<ImageReference> DEFAULT_IMAGES =
      List.of(ImageReference.PYTHON, ImageReference.NODE);

  private final Lifecycle.Parts parts;
  private final PoolSettings settings;
  private final PoolTable table;
  private final Map<PoolKey, Pool> pools = new LinkedHashMap<>();
  private final LongAdder hits = new LongAdder();
  private final LongAdder waits = new LongAdder();
  private final LongAdder misses = new LongAdder();
  private final LongAdder claims = new LongAdder();
  private final LongAdder claimNanos = new LongAdder();
  private boolean closed;

  Pools(Lifecycle.Parts parts, PoolTable table) {
    this.parts = parts;
    this.settings = parts.settings().pools();
    this.table = table;
    if (settings.enabled()) {
      table.all().forEach((key, bounds) -> existing(key).setBounds(bounds));
    }
  }

  // ---------------------------------------------------------------- claims

  /// What has come of a request: one to be claimed, or nothing; and those that were found to be of
  /// no use, which the caller takes down.
  record Claim(@Nullable PoolMember member, List<PoolMember> useless) {}

  /// One that is alive and of this version of the image; one that is on its way is waited for.
  Claim claim(PoolKey key, Digest image) {
    List<PoolMember> useless = new ArrayList<>();
    Pool pool = settings.enabled() ? asked(key) : null;
    if (pool == null) {
      return new Claim(null, useless);
    }
    for (PoolMember member = pool.take(); member != null; member = pool.take()) {
      if (isGood(member, image)) {
        pool.hit();
        hits.increment();
        return new Claim(member, useless);
      }
      useless.add(member);
    }
    PoolMember next = pool.awaitNext(parts.settings().timings().connect());
    if (next != null && isGood(next, image)) {
      waits.increment();
      return new Claim(next, useless);
    }
    if (next != null) {
      useless.add(next);
    }
    pool.missed();
    misses.increment();
    return new Claim(null, useless);
  }

  /// A claim has become somebody's sandbox.
  void claimed(long nanos) {
    claims.increment();
    claimNanos.add(nanos);
  }

  private static boolean isGood(PoolMember member, Digest image) {
    return member.isAlive() && member.image().equals(image);
  }

  private synchronized @Nullable Pool asked(PoolKey key) {
    Pool pool = pools.get(key);
    if (pool == null && pools.size() >= MOST_KEYS) {
      misses.increment();
      return null;
    }
    pool = existing(key);
    pool.asked();
    return pool;
  }

  // ---------------------------------------------------------------- pools

  private synchronized Pool existing(PoolKey key) {
    return pools.computeIfAbsent(key, absent -> new Pool(absent, parts.clock(), settings.idle()));
  }

  synchronized List<Pool> all() {
    return List.copyOf(pools.values());
  }

  /// Sees to it that the default images, where they are built, are kept.
  void keepDefaults() {
    if (settings.minimum() == 0) {
      return;
    }
    for (ImageReference image : DEFAULT_IMAGES) {
      try {
        parts.images().resolve(image);
        existing(keyOf(image)).setStanding(settings.minimum());
      } catch (SandboxException _) {
        // not built, or no isolation works: then there is nothing to keep
      }
    }
  }

  private PoolKey keyOf(ImageReference image) {
    return new PoolKey(image, parts.drivers().choose(null).driver().kind(), Limits.DEFAULT);
  }

  /// Gives each pool its target, and forgets those that nobody wants.
  synchronized void size() {
    pools.values().removeIf(Pool::isForgotten);
    Map<PoolKey, Integer> targets =
        PoolSizes.targets(
            pools.values().stream().map(pool -> pool.wish(settings.maximum())).toList(),
            settings.total());
    targets.forEach((key, target) -> existing(key).setTarget(target));
  }

  /// The pool that is to get the next sandbox, where one is to: an empty one first.
  @Nullable Pool neediest() {
    return all().stream()
        .filter(pool -> pool.lacks() > 0)
        .max(Comparator.comparing((Pool pool) -> pool.readySize() == 0).thenComparing(Pool::lacks))
        .orElse(null);
  }

  /// One that can be spared most easily: of the largest pool.
  @Nullable PoolMember spare() {
    List<Pool> largest = new ArrayList<>(all());
    largest.sort(Comparator.comparing(Pool::readySize).reversed());
    for (Pool pool : largest) {
      PoolMember member = pool.take();
      if (member != null) {
        return member;
      }
    }
    return null;
  }

  synchronized boolean isClosed() {
    return closed;
  }

  /// Ends all pools.
  ///
  /// @return what was in them, for the caller to take down
  synchronized List<PoolMember> close() {
    closed = true;
    return pools.values().stream().flatMap(pool -> pool.takeAll().stream()).toList();
  }

  // ---------------------------------------------------------------- for administrators

  List<PoolStatus> status() {
    return all().stream().map(pool -> pool.status(settings.maximum())).toList();
  }

  PoolStatus set(PoolService.PoolBounds asked) {
    check(asked);
    parts.images().resolve(asked.image());
    PoolKey key =
        new PoolKey(
            asked.image(),
            parts.drivers().choose(asked.isolation()).driver().kind(),
            asked.limits());
    Pool.Bounds bounds = new Pool.Bounds(asked.minimum(), asked.maximum());
    Pool pool = existing(key);
    if (asked.minimum() == 0 && asked.maximum() == null) {
      table.remove(key);
      pool.setBounds(null);
    } else {
      table.set(key, bounds);
      pool.setBounds(bounds);
    }
    size();
    return pool.status(settings.maximum());
  }

  private void check(PoolService.PoolBounds asked) {
    if (!settings.enabled()) {
      throw refused("the server was started with pool=off", "minimum");
    }
    int most = parts.settings().maxSandboxes();
    if (asked.minimum() < 0 || asked.minimum() > most) {
      throw refused("minimum is between 0 and " + most + ", the server's sandboxes", "minimum");
    }
    Integer maximum = asked.maximum();
    if (maximum != null && maximum < asked.minimum()) {
      throw refused("maximum is at least minimum", "maximum");
    }
  }

  private static SandboxException refused(String why, String field) {
    return new SandboxException(ErrorCode.INVALID_REQUEST, why, Map.of("field", field));
  }

  PoolTotals totals(long refills, long failures) {
    List<Pool> now = all();
    return new PoolTotals(
        now.stream().mapToInt(Pool::readySize).sum(),
        now.stream().mapToInt(Pool::startingSize).sum(),
        hits.sum(),
        waits.sum(),
        misses.sum(),
        refills,
        failures,
        claims.sum(),
        Duration.ofNanos(claimNanos.sum()));
  }
}
