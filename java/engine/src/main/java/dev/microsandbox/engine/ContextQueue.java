package dev.microsandbox.engine;

import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/// The cells of one context, one at a time, in the order of their arrival.
///
/// The host queues and not the agent, so that a cell's time limit begins when the context is free
/// for it.
final class ContextQueue {
  private static final int LONGEST = 64;

  private final Deque<Run> waiting = new ArrayDeque<>();
  private @Nullable Run current;

  /// Whether the cell may run now; else it waits.
  synchronized boolean enter(Run run) {
    if (current == null) {
      current = run;
      return true;
    }
    if (waiting.size() >= LONGEST) {
      throw new SandboxException(
          ErrorCode.TOO_MANY_CELLS,
          "64 cells are waiting for this context; wait for one, or open another context");
    }
    waiting.addLast(run);
    return false;
  }

  /// Takes a cell out, waiting or over.
  ///
  /// @return the one whose turn it is now; null where nothing changes
  synchronized @Nullable Run leave(Run run) {
    if (current != run) {
      waiting.remove(run);
      return null;
    }
    current = waiting.pollFirst();
    return current;
  }
}
