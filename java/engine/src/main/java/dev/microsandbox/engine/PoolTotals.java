package dev.microsandbox.engine;

/// Sums over all pools since the server's start, those that are gone included; `ready` and
/// `starting` are of this moment.
public record PoolTotals(
    int ready, int starting, long hits, long waits, long misses, long refills, long failures) {}
