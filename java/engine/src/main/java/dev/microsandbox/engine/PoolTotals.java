package dev.microsandbox.engine;

import java.time.Duration;

/// Sums over all pools since the server's start, those that are gone included; `ready` and
/// `starting` are of this moment.
///
/// @param claims creations that have become a sandbox out of a pool
/// @param claiming what these took in all, from the engine's being asked to its answer
public record PoolTotals(
    int ready,
    int starting,
    long hits,
    long waits,
    long misses,
    long refills,
    long failures,
    long claims,
    Duration claiming) {}
