package dev.microsandbox;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Files of a sandbox, read and written whole, at most 16 MiB each. Relative paths begin at the
/// user's home.
public final class Files {
  private final Session session;

  Files(Session session) {
    this.session = session;
  }

  /// Reads a file.
  ///
  /// @throws SandboxException `no_such_file`, `is_a_directory` and others
  public byte[] read(String path) {
    return bytes(path, null);
  }

  /// Reads a file with the rights of a user, `sandbox` or `root`.
  public byte[] read(String path, String user) {
    return bytes(path, user);
  }

  /// Reads a file as UTF-8; what is not valid is replaced by U+FFFD.
  public String readText(String path) {
    return new String(read(path), StandardCharsets.UTF_8);
  }

  /// Reads a file as UTF-8 with the rights of a user, `sandbox` or `root`.
  public String readText(String path, String user) {
    return new String(read(path, user), StandardCharsets.UTF_8);
  }

  /// Writes a file, in one step as far as others can see; missing folders are made.
  public void write(String path, byte[] content) {
    write(path, content, WriteOptions.DEFAULT);
  }

  /// Writes a file as UTF-8, in one step as far as others can see; missing folders are made.
  public void write(String path, String content) {
    write(path, content, WriteOptions.DEFAULT);
  }

  /// Writes a file as UTF-8.
  public void write(String path, String content, WriteOptions options) {
    write(path, content.getBytes(StandardCharsets.UTF_8), options);
  }

  /// Writes a file, in one step as far as others can see.
  ///
  /// @throws SandboxException `permission_denied`, `disk_full` and others
  public void write(String path, byte[] content, WriteOptions options) {
    Query query =
        new Query()
            .add("path", path)
            .add("user", options.user())
            .add("mode", String.format(Locale.ROOT, "%04o", options.mode()))
            .add("make_directories", options.makeDirectories());
    session.bytes(Call.put(session.path("/files", query), content));
  }

  private byte[] bytes(String path, @Nullable String user) {
    Query query = new Query().add("path", path).add("user", user);
    return session.bytes(Call.get(session.path("/files", query)));
  }
}
