package dev.microsandbox.model;

/// A number of bytes.
public record ByteSize(long bytes) implements Comparable<ByteSize> {
  private static final long KIB = 1024;

  public ByteSize {
    if (bytes < 0) {
      throw new IllegalArgumentException("a size cannot be negative: " + bytes);
    }
  }

  public static ByteSize ofKib(long kib) {
    return new ByteSize(Math.multiplyExact(kib, KIB));
  }

  public static ByteSize ofMib(long mib) {
    return new ByteSize(Math.multiplyExact(mib, KIB * KIB));
  }

  public static ByteSize ofGib(long gib) {
    return new ByteSize(Math.multiplyExact(gib, KIB * KIB * KIB));
  }

  /// Whole mebibytes, rounded down.
  public long mib() {
    return bytes / (KIB * KIB);
  }

  @Override
  public int compareTo(ByteSize other) {
    return Long.compare(bytes, other.bytes);
  }

  @Override
  public String toString() {
    return bytes % (KIB * KIB) == 0 ? mib() + " MiB" : bytes + " B";
  }
}
