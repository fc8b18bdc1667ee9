package dev.microsandbox.model;

/// What one sandbox may use. Enforced by the host.
///
/// @param memory of all its processes and temporary files together, without swap
/// @param cpus of processing time per second, 0.5 being half a CPU
/// @param processes and threads at once
/// @param disk size of its writable layer
public record Limits(ByteSize memory, double cpus, int processes, ByteSize disk) {
  private static final ByteSize LEAST_MEMORY = ByteSize.ofMib(64);
  private static final ByteSize LEAST_DISK = ByteSize.ofMib(16);
  private static final double LEAST_CPUS = 0.05;
  private static final int LEAST_PROCESSES = 16;

  public static final Limits DEFAULT = new Limits(ByteSize.ofMib(512), 1.0, 512, ByteSize.ofGib(4));

  public Limits {
    require(memory.compareTo(LEAST_MEMORY) >= 0, "memory must be at least " + LEAST_MEMORY);
    require(cpus >= LEAST_CPUS && cpus <= 1024, "cpus must be between 0.05 and 1024");
    require(processes >= LEAST_PROCESSES && processes <= 1 << 20, "processes must be at least 16");
    require(disk.compareTo(LEAST_DISK) >= 0, "disk must be at least " + LEAST_DISK);
  }

  private static void require(boolean holds, String message) {
    if (!holds) {
      throw new SandboxException(ErrorCode.INVALID_LIMITS, message);
    }
  }
}
