package dev.microsandbox.isolation;

/// How a sandbox's first process ended, by the host's own knowledge.
///
/// @param outOfMemory whether the kernel killed in its cgroup for want of memory at its end; kills
///   that it had survived do not count
public record SandboxEnd(boolean outOfMemory) {}
