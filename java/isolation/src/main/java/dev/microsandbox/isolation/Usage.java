package dev.microsandbox.isolation;

import dev.microsandbox.model.ByteSize;
import java.time.Duration;

/// What a sandbox uses, by the host's count.
///
/// @param cpuTime used since its start
/// @param disk allocated by its writable layer
public record Usage(Duration cpuTime, ByteSize memory, int processes, ByteSize disk) {}
