package dev.microsandbox.engine;

import dev.microsandbox.agent.FileDownload;
import dev.microsandbox.agent.FileMode;
import dev.microsandbox.agent.FileUpload;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import java.nio.ByteBuffer;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Files on their way into sandboxes and out of them.
final class FileTransfers {
  private static final int LONGEST_PATH = 4096;

  private FileTransfers() {}

  static FileSource read(Session session, String path, String user) {
    String checked = checkPath(path);
    Session.Use use = session.use();
    try {
      return new Reading(session.agent().readFile(checked, user), use);
    } catch (RuntimeException e) {
      use.close();
      throw e;
    }
  }

  static FileSink write(Session session, FileWrite file) {
    FileMode mode = new FileMode(file.permissions(), file.makeDirectories(), file.user());
    String checked = checkPath(file.path());
    Session.Use use = session.use();
    try {
      return new Writing(session.agent().writeFile(checked, mode), use);
    } catch (RuntimeException e) {
      use.close();
      throw e;
    }
  }

  private static String checkPath(String path) {
    if (path.isEmpty() || path.length() > LONGEST_PATH || path.indexOf('\0') >= 0) {
      throw new SandboxException(
          ErrorCode.INVALID_REQUEST,
          "a path has 1 to 4096 characters, none of them NUL",
          Map.of("field", "path"));
    }
    return path;
  }

  private record Reading(FileDownload file, Session.Use use) implements FileSource {
    @Override
    public long size() {
      return file.size();
    }

    @Override
    public @Nullable ByteBuffer next() {
      return file.next();
    }

    @Override
    public void close() {
      file.close();
      use.close();
    }
  }

  private record Writing(FileUpload file, Session.Use use) implements FileSink {
    @Override
    public void write(ByteBuffer piece) {
      file.write(piece);
    }

    @Override
    public void finish() {
      file.finish();
    }

    @Override
    public void close() {
      file.close();
      use.close();
    }
  }
}
