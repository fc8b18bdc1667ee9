package dev.microsandbox.engine;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// A pool at one moment.
///
/// @param minimum kept whatever the demand is
/// @param maximum kept at most
/// @param configured whether an administrator has set these for this key
/// @param target how many it shall have now
/// @param ready can be claimed, with their interpreters started
/// @param starting are on their way
/// @param hits creations that were given one at once
/// @param waits creations that were given one which was on its way
/// @param misses creations that had to make their own
/// @param refills sandboxes started for it
/// @param failures of those, how many came to nothing or ended before anybody claimed them
/// @param trouble null where refilling works
public record PoolStatus(
    PoolKey key,
    int minimum,
    int maximum,
    boolean configured,
    int target,
    int ready,
    int starting,
    long hits,
    long waits,
    long misses,
    long refills,
    long failures,
    @Nullable Trouble trouble) {

  /// Why it is not refilled now.
  ///
  /// @param retryAt when it is tried again; null where that depends on the host
  public record Trouble(String message, Instant since, @Nullable Instant retryAt) {}
}
