package dev.microsandbox.agent;

import dev.microsandbox.model.ObjectId;
import java.nio.ByteBuffer;

/// A view of one cell or process.
public interface ObjectStream extends AutoCloseable {
  ObjectId id();

  /// Lets `bytes` more of output come. A listener that keeps up grants what it has taken; what is
  /// granted beyond that enlarges the window, to 1 MiB at most and as far as the channel has room.
  void grant(int bytes);

  /// Sends input. Waits, in bounded memory, while the program does not read.
  ///
  /// @throws java.io.IOException when the stream is over
  void write(ByteBuffer input) throws java.io.IOException;

  /// No more input will come.
  void endInput();

  /// Detaches. The object goes on.
  @Override
  void close();
}
