package dev.microsandbox.engine;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Keeps the first and the last part of what a program writes, in bounded memory.
final class OutputText {
  private static final int FIRST_SIZE = 512;

  private final int headLimit;
  private final int tailLimit;
  private byte[] head = new byte[0];
  private int headLength;
  private byte[] tail = new byte[0];
  private long tailTotal;

  /// @param limit bytes kept in all
  OutputText(int limit) {
    headLimit = limit - limit / 2;
    tailLimit = limit / 2;
  }

  void append(ByteBuffer bytes) {
    int first = Math.min(bytes.remaining(), headLimit - headLength);
    if (first > 0) {
      head = grown(head, headLength + first, headLimit);
      bytes.get(head, headLength, first);
      headLength += first;
    }
    appendTail(bytes);
  }

  private void appendTail(ByteBuffer bytes) {
    int size = bytes.remaining();
    if (size > tailLimit) {
      bytes.position(bytes.limit() - tailLimit);
      tailTotal += size - tailLimit;
    }
    if (tailLimit == 0) {
      return;
    }
    int before = tail.length;
    if (before < tailLimit && tailTotal + bytes.remaining() > before) {
      tail = grownTail((int) Math.min(tailLimit, tailTotal + bytes.remaining()));
    }
    while (bytes.hasRemaining()) {
      int at = (int) (tailTotal % tail.length);
      int part = Math.min(bytes.remaining(), tail.length - at);
      bytes.get(tail, at, part);
      tailTotal += part;
    }
  }

  /// While the ring has not gone round its bytes lie in order from 0.
  private byte[] grownTail(int needed) {
    if (tailTotal > tail.length) {
      // A chunk larger than the whole ring has moved the count on: what was there is out of date.
      return new byte[tailLimit];
    }
    return grown(tail, needed, tailLimit);
  }

  private static byte[] grown(byte[] array, int needed, int limit) {
    if (needed <= array.length) {
      return array;
    }
    long doubled = Math.max(FIRST_SIZE, 2L * array.length);
    return Arrays.copyOf(array, (int) Math.min(limit, Math.max(needed, doubled)));
  }

  /// All of it, or the two parts with a mark between that tells how much is missing.
  RunResult.CollectedText text() {
    int tailLength = (int) Math.min(tailTotal, tail.length);
    byte[] last = lastBytes(tailLength);
    long leftOut = tailTotal - tailLength;
    if (leftOut == 0) {
      byte[] whole = Arrays.copyOf(head, headLength + tailLength);
      System.arraycopy(last, 0, whole, headLength, tailLength);
      return new RunResult.CollectedText(new String(whole, StandardCharsets.UTF_8), 0);
    }
    int headEnd = headLength - splitAtEnd(head, headLength);
    int tailStart = splitAtStart(last);
    leftOut += (headLength - headEnd) + tailStart;
    String text =
        new String(head, 0, headEnd, StandardCharsets.UTF_8)
            + "\n… "
            + leftOut
            + " bytes left out …\n"
            + new String(last, tailStart, tailLength - tailStart, StandardCharsets.UTF_8);
    return new RunResult.CollectedText(text, leftOut);
  }

  private byte[] lastBytes(int length) {
    byte[] last = new byte[length];
    if (length == 0) {
      return last;
    }
    int start = (int) ((tailTotal - length) % tail.length);
    int first = Math.min(length, tail.length - start);
    System.arraycopy(tail, start, last, 0, first);
    System.arraycopy(tail, 0, last, first, length - first);
    return last;
  }

  /// How many bytes at the end are the beginning of a character that was cut.
  private static int splitAtEnd(byte[] bytes, int length) {
    for (int back = 1; back <= Math.min(3, length); back++) {
      int b = bytes[length - back] & 0xff;
      if (b >= 0xc0) {
        int size = b >= 0xf0 ? 4 : b >= 0xe0 ? 3 : 2;
        return size > back ? back : 0;
      }
      if (b < 0x80) {
        return 0;
      }
    }
    return 0;
  }

  /// How many bytes at the start are the end of a character that was cut.
  private static int splitAtStart(byte[] bytes) {
    int start = 0;
    while (start < Math.min(3, bytes.length) && (bytes[start] & 0xc0) == 0x80) {
      start++;
    }
    return start;
  }
}
