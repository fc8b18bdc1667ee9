package dev.microsandbox.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What the host has left of memory.
public final class HostMemory {
  private static final Pattern TOTAL = Pattern.compile("(?m)^MemTotal:\\s+(\\d+) kB$");
  private static final Pattern AVAILABLE = Pattern.compile("(?m)^MemAvailable:\\s+(\\d+) kB$");
  private static final Pattern STALLED = Pattern.compile("(?m)^some avg10=([0-9.]+) ");

  /// Of all memory, below which the host is short of it.
  private static final double LEAST_SHARE = 0.1;

  /// Percent of the time in which something waits for memory, above which the host is short of it.
  private static final double MOST_STALLING = 20;

  private final Path info;
  private final Path pressure;

  HostMemory(Path info, Path pressure) {
    this.info = info;
    this.pressure = pressure;
  }

  /// Of this host.
  public static HostMemory ofHost() {
    return new HostMemory(Path.of("/proc/meminfo"), Path.of("/proc/pressure/memory"));
  }

  /// Whether little is available, or programs wait for memory. False where the kernel does not
  /// tell.
  public boolean isShort() {
    String text = read(info);
    double total = number(TOTAL, text);
    return (total > 0 && number(AVAILABLE, text) < LEAST_SHARE * total)
        || number(STALLED, read(pressure)) > MOST_STALLING;
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException _) {
      return ""; // kernels are built without one or the other
    }
  }

  private static double number(Pattern pattern, String text) {
    Matcher found = pattern.matcher(text);
    return found.find() ? Double.parseDouble(found.group(1)) : 0;
  }
}
