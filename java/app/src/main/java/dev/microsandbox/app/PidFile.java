package dev.microsandbox.app;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Tells other programs the server's process id: `server.pid` in the home.
record PidFile(Path file) implements AutoCloseable {
  static PidFile write(Path home) {
    Path file = home.resolve("server.pid");
    try {
      Files.writeString(file, ProcessHandle.current().pid() + "\n");
    } catch (IOException e) {
      throw new UncheckedIOException("the file server.pid cannot be written", e);
    }
    return new PidFile(file);
  }

  @Override
  public void close() {
    try {
      Files.deleteIfExists(file);
    } catch (IOException _) {
      // The next server overwrites it.
    }
  }
}
