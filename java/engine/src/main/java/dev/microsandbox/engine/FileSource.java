package dev.microsandbox.engine;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// A file of a sandbox that is being read. The sandbox is in use until it is closed.
public interface FileSource extends AutoCloseable {
  /// Memory that one holds at most.
  int MEMORY = 1024 * 1024;

  /// How many bytes there are in all; -1 where only the end tells.
  long size();

  /// The next piece, valid until the next call; null once all has come. Waits for it.
  ///
  /// @throws dev.microsandbox.model.SandboxException where the file, or the sandbox, fails
  @Nullable ByteBuffer next();

  @Override
  void close();
}
