package dev.microsandbox.agent;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// A file on its way out of a sandbox. For one thread at a time. While nobody asks for more, no
/// more than a window's worth is under way, and the file waits for as long as that takes.
public interface FileDownload extends AutoCloseable {
  /// How many bytes will come in all; -1 where that is known at the end only, as for files of
  /// `/proc`.
  long size();

  /// The next piece, valid until the next call, which says that it is used no more; null once all
  /// has come. Waits for it.
  ///
  /// @throws dev.microsandbox.model.SandboxException where the file, or the sandbox, fails
  @Nullable ByteBuffer next();

  /// Gives up what has not come yet.
  @Override
  void close();
}
