package dev.microsandbox;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Files of a sandbox, read and written whole; what bounds their size is the sandbox's disk.
/// Relative paths begin at the user's home.
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
    session.bytes(Call.put(target(path, options), content));
  }

  /// Writes a file with what a stream gives until its end, while it gives it: none of it is kept in
  /// memory. The stream is not closed.
  ///
  /// @throws SandboxException `permission_denied`, `disk_full` and others; also where the stream
  ///   fails, and then there is no such file
  public void write(String path, InputStream content, WriteOptions options) {
    session.bytes(Call.put(target(path, options), content));
  }

  /// Reads a file into a stream, while it comes: none of it is kept in memory. The stream is not
  /// closed. Where this fails midway, it has got a part of the file.
  ///
  /// @return how many bytes it has
  /// @throws IOException where the stream takes it no more
  /// @throws SandboxException `no_such_file`, `is_a_directory` and others
  public long read(String path, OutputStream to) throws IOException {
    return session.copy(Call.get(source(path, null)), to);
  }

  /// Reads a file into a stream with the rights of a user, `sandbox` or `root`.
  ///
  /// @throws IOException where the stream takes it no more
  public long read(String path, String user, OutputStream to) throws IOException {
    return session.copy(Call.get(source(path, user)), to);
  }

  private byte[] bytes(String path, @Nullable String user) {
    return session.bytes(Call.get(source(path, user)));
  }

  private String source(String path, @Nullable String user) {
    return session.path("/files", new Query().add("path", path).add("user", user));
  }

  private String target(String path, WriteOptions options) {
    Query query =
        new Query()
            .add("path", path)
            .add("user", options.user())
            .add("mode", String.format(Locale.ROOT, "%04o", options.mode()))
            .add("make_directories", options.makeDirectories());
    return session.path("/files", query);
  }
}
