package dev.microsandbox.agent;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;

/// Files at once, for tests that do not care about their pieces.
final class WholeFiles {
  private WholeFiles() {}

  static byte[] read(AgentClient client, String path) {
    try (FileDownload file = client.readFile(path, "")) {
      return rest(file);
    }
  }

  static byte[] rest(FileDownload file) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (ByteBuffer piece = file.next(); piece != null; piece = file.next()) {
      byte[] bytes = new byte[piece.remaining()];
      piece.get(bytes);
      all.writeBytes(bytes);
    }
    return all.toByteArray();
  }

  static void write(AgentClient client, String path, byte[] content) {
    try (FileUpload file = client.writeFile(path, FileMode.DEFAULT)) {
      file.write(ByteBuffer.wrap(content));
      file.finish();
    }
  }
}
