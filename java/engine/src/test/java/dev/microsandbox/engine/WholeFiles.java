package dev.microsandbox.engine;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;

/// Files at once, for tests that do not care about their pieces.
final class WholeFiles {
  private WholeFiles() {}

  static byte[] read(FileSource opened) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    try (FileSource file = opened) {
      for (ByteBuffer piece = file.next(); piece != null; piece = file.next()) {
        byte[] bytes = new byte[piece.remaining()];
        piece.get(bytes);
        all.writeBytes(bytes);
      }
    }
    return all.toByteArray();
  }

  static void write(FileSink opened, byte[] content) {
    try (FileSink file = opened) {
      file.write(ByteBuffer.wrap(content));
      file.finish();
    }
  }
}
