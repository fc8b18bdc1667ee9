package dev.microsandbox.engine;

import dev.microsandbox.model.ByteSize;
import dev.microsandbox.model.SandboxId;

/// What a sandbox uses, by the host's count.
///
/// @param cpuPercent of one CPU, over the time since the last question (or its start); 0 where it
///   does not run
public record SandboxMetrics(
    SandboxId id,
    String namespace,
    String name,
    boolean running,
    double cpuPercent,
    ByteSize memory,
    int processes,
    ByteSize disk) {}
