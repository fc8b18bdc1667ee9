package dev.microsandbox.server;

import dev.microsandbox.engine.RunResult.CollectedText;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// The first and the last part of an output, in bounded memory.
final class KeptOutput {
  private final int half;
  private final ByteArrayOutputStream head = new ByteArrayOutputStream();
  private final ByteArrayOutputStream tail = new ByteArrayOutputStream();
  private long dropped;

  KeptOutput(int limit) {
    half = limit / 2;
  }

  void add(byte[] bytes) {
    int first = Math.min(bytes.length, half - head.size());
    head.write(bytes, 0, first);
    tail.write(bytes, first, bytes.length - first);
    if (tail.size() > 2 * half) {
      keepTail();
    }
  }

  private void keepTail() {
    byte[] all = tail.toByteArray();
    int excess = Math.max(0, all.length - half);
    dropped += excess;
    tail.reset();
    tail.write(all, excess, all.length - excess);
  }

  CollectedText collected() {
    if (dropped > 0 || tail.size() > half) {
      keepTail();
    }
    if (dropped == 0) {
      byte[] whole = Arrays.copyOf(head.toByteArray(), head.size() + tail.size());
      System.arraycopy(tail.toByteArray(), 0, whole, head.size(), tail.size());
      return new CollectedText(new String(whole, StandardCharsets.UTF_8), 0);
    }
    String mark = "\n… " + dropped + " bytes left out …\n";
    return new CollectedText(
        head.toString(StandardCharsets.UTF_8) + mark + tail.toString(StandardCharsets.UTF_8),
        dropped);
  }
}
