package dev.microsandbox.isolation;

/// What one process of the host is known by, across servers: its number, which the kernel gives out
/// again, its start, and the life of the machine in which both count.
///
/// @param hostBootId another one after each start of the machine
/// @param startTime in the kernel's ticks since its own start
public record ProcessMark(String hostBootId, int pid, long startTime) {
  private static final int PARTS = 3;

  public ProcessMark {
    if (hostBootId.isBlank() || hostBootId.contains(" ") || pid <= 1) {
      throw new IllegalArgumentException("no mark of a process");
    }
  }

  /// For the journal.
  public String text() {
    return hostBootId + " " + pid + " " + startTime;
  }

  /// From the journal.
  public static ProcessMark parse(String text) {
    String[] parts = text.split(" ");
    if (parts.length != PARTS) {
      throw new IllegalArgumentException("no mark of a process: " + text);
    }
    return new ProcessMark(parts[0], Integer.parseInt(parts[1]), Long.parseLong(parts[2]));
  }
}
