package dev.microsandbox.app;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.logging.ErrorManager;
import java.util.logging.Handler;
import java.util.logging.LogRecord;

/// A log file that becomes `….1`, `….2`, `….3` as it grows, and is then forgotten.
final class LogFile extends Handler {
  private static final long LARGEST = 10L * 1024 * 1024;
  private static final int KEPT = 3;

  private final Path file;
  private OutputStream out;
  private long size;

  private LogFile(Path file, OutputStream out, long size) {
    this.file = file;
    this.out = out;
    this.size = size;
  }

  /// Goes on with a file that is there.
  static LogFile open(Path file) throws IOException {
    return new LogFile(file, append(file), Files.size(file));
  }

  private static OutputStream append(Path file) throws IOException {
    OutputStream out =
        Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
    return out;
  }

  @Override
  public synchronized void publish(LogRecord line) {
    if (!isLoggable(line)) {
      return;
    }
    try {
      byte[] bytes = getFormatter().format(line).getBytes(StandardCharsets.UTF_8);
      if (size + bytes.length > LARGEST) {
        rotate();
      }
      out.write(bytes);
      size += bytes.length;
    } catch (IOException e) {
      reportError("the log cannot be written", e, ErrorManager.WRITE_FAILURE);
    }
  }

  private void rotate() throws IOException {
    out.close();
    for (int i = KEPT - 1; i >= 1; i--) {
      move(numbered(i), numbered(i + 1));
    }
    move(file, numbered(1));
    out = append(file);
    size = 0;
  }

  private Path numbered(int number) {
    return file.resolveSibling(file.getFileName() + "." + number);
  }

  private static void move(Path from, Path to) throws IOException {
    if (Files.exists(from)) {
      Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  @Override
  public void flush() {
    // Every line is written at once.
  }

  @Override
  public synchronized void close() {
    try {
      out.close();
    } catch (IOException e) {
      reportError("the log cannot be closed", e, ErrorManager.CLOSE_FAILURE);
    }
  }
}
