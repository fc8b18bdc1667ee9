package dev.microsandbox.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;

/// Waits for several descriptors at once (ppoll). One use per wait.
final class Poll implements AutoCloseable {
  static final short IN = 1;
  static final short OUT = 4;
  private static final int ENTRY = 8;
  private static final int REVENTS = 6;

  private final Arena arena = Arena.ofConfined();
  private final MemorySegment entries;
  private int count;

  Poll(int capacity) {
    entries = arena.allocate((long) ENTRY * Math.max(1, capacity), 8);
  }

  /// Adds a descriptor and returns its place, to be asked for with [#ready].
  int add(int descriptor, short events) {
    long at = (long) count * ENTRY;
    entries.set(ValueLayout.JAVA_INT, at, descriptor);
    entries.set(ValueLayout.JAVA_SHORT, at + 4, events);
    return count++;
  }

  /// Waits until something is ready or the time is over; whether something is.
  boolean await(Duration timeout) throws LinuxException {
    MemorySegment time = arena.allocate(16, 8);
    time.set(ValueLayout.JAVA_LONG, 0, Math.max(0, timeout.getSeconds()));
    time.set(ValueLayout.JAVA_LONG, 8, timeout.isNegative() ? 0 : timeout.getNano());
    long result = Kernel.attempt(Syscall.PPOLL, entries.address(), count, time.address(), 0, 0);
    if (result == -Errno.EINTR) {
      return false;
    }
    if (result < 0) {
      throw new LinuxException("cannot wait for descriptors", (int) -result);
    }
    return result > 0;
  }

  boolean ready(int place) {
    return entries.get(ValueLayout.JAVA_SHORT, (long) place * ENTRY + REVENTS) != 0;
  }

  @Override
  public void close() {
    arena.close();
  }
}
