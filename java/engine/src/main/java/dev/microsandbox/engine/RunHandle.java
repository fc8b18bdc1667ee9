package dev.microsandbox.engine;

import dev.microsandbox.model.ObjectId;
import java.util.concurrent.CompletableFuture;

/// A cell or command under way whose output is collected.
public interface RunHandle {
  ObjectId id();

  /// Waits for its end. Bounded by the run's own timeout where it has one.
  ///
  /// @throws dev.microsandbox.model.SandboxException where it could not be started (no such
  ///   program, unknown language, …); every way to end is a value
  RunResult await() throws InterruptedException;

  /// The same for one who does not wait. It is completed by the thread that reads what sandboxes
  /// say: what is made to follow must not wait either.
  CompletableFuture<RunResult> ended();

  /// Asks it to stop; the outcome will be `interrupted`.
  void interrupt();

  /// Its client is gone: interrupts it unless it was asked to keep running. Harmless after its end.
  void abandon();
}
