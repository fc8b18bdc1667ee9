package dev.microsandbox.engine;

import java.nio.ByteBuffer;
import java.util.Arrays;

/// Queued output of one source without a gap. Small writes are joined, for a program that writes
/// byte by byte must not cost an object for each.
final class OutputSegment {
  private static final int LARGEST = 64 * 1024;

  private final RunEvent.Source source;
  private final long offset;
  private byte[] bytes;
  private int length;

  OutputSegment(RunEvent.Source source, ByteBuffer first, long offset) {
    this.source = source;
    this.offset = offset;
    this.length = first.remaining();
    this.bytes = new byte[length];
    first.get(bytes);
  }

  /// Joins what follows where it fits; else takes nothing.
  boolean append(RunEvent.Source from, ByteBuffer more, long at) {
    int size = more.remaining();
    if (from != source || at != offset + length || length + size > LARGEST) {
      return false;
    }
    if (length + size > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.min(LARGEST, Math.max(2 * bytes.length, length + size)));
    }
    more.get(bytes, length, size);
    length += size;
    return true;
  }

  RunEvent.Output event() {
    return new RunEvent.Output(
        source, length == bytes.length ? bytes : Arrays.copyOf(bytes, length), offset);
  }
}
