package dev.microsandbox;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// Sandboxes of one kind that a server keeps ready.
///
/// @param memory MiB, of each
/// @param disk MiB, of each
/// @param minimum kept whatever the demand is
/// @param maximum kept at most
/// @param configured whether an administrator has set these two
/// @param target how many it shall have now
/// @param ready can be claimed, with their interpreters started
/// @param starting are on their way
/// @param hits creations that were given one at once
/// @param waits creations that were given one which was on its way
/// @param misses creations that had to make their own
/// @param refills sandboxes started for it
/// @param failures of those, how many came to nothing or ended before anybody claimed them
/// @param trouble null where refilling works
public record PoolInfo(
    String image,
    String isolation,
    int memory,
    double cpus,
    int processes,
    int disk,
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
  /// @param retryAt null where that depends on the host
  public record Trouble(String message, @Nullable Instant since, @Nullable Instant retryAt) {}

  static PoolInfo of(JsonObject node) {
    JsonObject trouble = node.object("trouble");
    return new PoolInfo(
        node.text("image"),
        node.text("isolation"),
        node.integer("memory"),
        node.decimal("cpus"),
        node.integer("processes"),
        node.integer("disk"),
        node.integer("minimum"),
        node.integer("maximum"),
        node.truth("configured"),
        node.integer("target"),
        node.integer("ready"),
        node.integer("starting"),
        node.whole("hits"),
        node.whole("waits"),
        node.whole("misses"),
        node.whole("refills"),
        node.whole("failures"),
        trouble.isEmpty()
            ? null
            : new Trouble(
                trouble.text("message"),
                trouble.instantOrNull("since"),
                trouble.instantOrNull("retry_at")));
  }
}
