package dev.microsandbox.agent;

import java.util.LinkedHashSet;
import java.util.SequencedSet;

/// The room for bytes that one end of a channel may grant in all: 8 MiB, shared by its streams.
///
/// Guarded by the channel's lock.
final class CreditPool {
  static final int TOTAL = 8 << 20;

  private static final int FOR_NEW_STREAMS = TOTAL / 2;

  private int free = TOTAL;
  private final SequencedSet<ReceiveWindow> waiting = new LinkedHashSet<>();

  /// Takes as much of what is wanted as there is.
  int take(int wanted) {
    int taken = Math.min(wanted, free);
    free -= taken;
    return taken;
  }

  /// Takes as much for a stream that stands already as leaves half of the pool to new ones.
  int takeSpare(int wanted) {
    return take(Math.clamp(wanted, 0, Math.max(0, free - FOR_NEW_STREAMS)));
  }

  void waitForRoom(ReceiveWindow window) {
    waiting.add(window);
  }

  /// Gives back a closed stream's room, which goes to those that wait for some, first come first
  /// served.
  void giveBack(ReceiveWindow window, int bytes) {
    waiting.remove(window);
    free += bytes;
    while (free > 0 && !waiting.isEmpty()) {
      ReceiveWindow next = waiting.getFirst();
      if (next.growFromPool()) {
        waiting.remove(next);
      }
    }
  }

  int free() {
    return free;
  }
}
