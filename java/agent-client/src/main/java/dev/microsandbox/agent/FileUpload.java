package dev.microsandbox.agent;

import java.nio.ByteBuffer;

/// A file on its way into a sandbox. For one thread at a time.
public interface FileUpload extends AutoCloseable {
  /// Sends a piece, which can be used again afterwards. Waits while the sandbox takes nothing.
  ///
  /// @throws dev.microsandbox.model.SandboxException where it fails: `disk_full` and others
  void write(ByteBuffer piece);

  /// All has been sent: waits until the file is in its place.
  ///
  /// @throws dev.microsandbox.model.SandboxException where it did not come to that; nothing is left
  void finish();

  /// Gives up, and leaves nothing, unless it is finished.
  @Override
  void close();
}
