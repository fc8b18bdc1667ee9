package dev.microsandbox.engine;

import dev.microsandbox.model.ObjectId;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// A view of a cell or command whose output is taken as it comes. The program waits while nobody
/// takes: what is buffered on the way is bounded.
///
/// For one reader; the other methods may be called from any thread.
public interface RunStream extends AutoCloseable {
  ObjectId id();

  /// Waits for the next event, at most so long; null when none came in time (a moment to send a
  /// sign of life, and to see whether the client is still there) and after [RunEvent.Finished].
  ///
  /// @throws dev.microsandbox.model.SandboxException where it could not be started, or where what
  ///   was asked for is no longer there
  @Nullable RunEvent next(Duration patience) throws InterruptedException;

  /// Sends input to a command that was opened with it. Waits while the program does not read.
  void write(byte[] input) throws IOException;

  /// No more input will come.
  void endInput();

  /// Asks it to stop; the outcome will be `interrupted`.
  void interrupt();

  /// Its client is gone: interrupts it unless it was asked to keep running or others watch it.
  void abandon();

  /// Ends the view. The run goes on.
  @Override
  void close();
}
