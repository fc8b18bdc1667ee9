package dev.microsandbox.engine;

import java.nio.ByteBuffer;

/// A file that is being written into a sandbox: in its place as a whole once it is finished, else
/// nothing of it. The sandbox is in use until it is closed.
public interface FileSink extends AutoCloseable {
  /// Takes a piece, all of it. Waits while the sandbox takes nothing.
  ///
  /// @throws dev.microsandbox.model.SandboxException where it fails: `disk_full` and others
  void write(ByteBuffer piece);

  /// Nothing more comes: puts the file into its place.
  void finish();

  /// Gives up, unless it is finished.
  @Override
  void close();
}
