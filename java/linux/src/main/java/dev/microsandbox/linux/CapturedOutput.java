package dev.microsandbox.linux;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One output of a program, within bounds: its beginning, its end, and its lines as they come.
final class CapturedOutput {
  private static final int LONGEST_LINE = 64 * 1024;

  private final int headLimit;
  private final byte[] tail;
  private final ByteArrayOutputStream head = new ByteArrayOutputStream();
  private final ByteArrayOutputStream line = new ByteArrayOutputStream();
  private final @Nullable Consumer<String> lines;
  private long beyondHead;

  CapturedOutput(int limit, @Nullable Consumer<String> lines) {
    this.headLimit = limit / 2;
    this.tail = new byte[limit - headLimit];
    this.lines = lines;
  }

  void add(byte[] bytes, int count) {
    int toHead = Math.min(count, headLimit - head.size());
    head.write(bytes, 0, toHead);
    if (tail.length > 0) {
      for (int i = toHead; i < count; i++) {
        tail[(int) (beyondHead++ % tail.length)] = bytes[i];
      }
    }
    if (lines != null) {
      split(lines, bytes, count);
    }
  }

  /// To be called once nothing more will come.
  void end() {
    if (lines != null && line.size() > 0) {
      emit(lines);
    }
  }

  String text() {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.writeBytes(head.toByteArray());
    if (beyondHead > tail.length) {
      all.writeBytes("\n[… left out …]\n".getBytes(StandardCharsets.UTF_8));
      int start = (int) (beyondHead % tail.length);
      all.write(tail, start, tail.length - start);
      all.write(tail, 0, start);
    } else {
      all.write(tail, 0, (int) beyondHead);
    }
    return all.toString(StandardCharsets.UTF_8);
  }

  private void split(Consumer<String> listener, byte[] bytes, int count) {
    for (int i = 0; i < count; i++) {
      if (bytes[i] == '\n') {
        emit(listener);
      } else if (line.size() < LONGEST_LINE) {
        line.write(bytes[i]);
      }
    }
  }

  private void emit(Consumer<String> listener) {
    String text = line.toString(StandardCharsets.UTF_8);
    line.reset();
    listener.accept(text.endsWith("\r") ? text.substring(0, text.length() - 1) : text);
  }
}
