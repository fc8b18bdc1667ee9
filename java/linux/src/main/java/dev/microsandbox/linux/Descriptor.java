package dev.microsandbox.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/// An open file descriptor of this process, close-on-exec, closed once.
final class Descriptor implements AutoCloseable {
  static final int O_RDONLY = 0;
  static final int O_RDWR = 2;
  static final int O_CREAT = 0x40;
  static final int O_EXCL = 0x80;
  static final int O_NONBLOCK = 0x800;
  static final int O_PATH = 0x200000;
  private static final int F_GETFL = 3;
  private static final int F_SETFL = 4;

  private int number;

  Descriptor(long number) {
    this.number = (int) number;
  }

  static Descriptor open(Path path, int flags) throws LinuxException {
    return open(path, flags, 0);
  }

  static Descriptor open(Path path, int flags, int mode) throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      long name = Kernel.text(arena, path.toString());
      return new Descriptor(
          Kernel.call(
              "cannot open " + path,
              Syscall.OPENAT,
              Kernel.AT_FDCWD,
              name,
              flags | Kernel.O_CLOEXEC,
              mode));
    }
  }

  /// One that was closed from the start.
  static Descriptor closed() {
    return new Descriptor(-1);
  }

  int number() {
    if (number < 0) {
      throw new IllegalStateException("descriptor is closed");
    }
    return number;
  }

  boolean isOpen() {
    return number >= 0;
  }

  void setNonBlocking() throws LinuxException {
    long flags = Kernel.call("fcntl", Syscall.FCNTL, number(), F_GETFL);
    Kernel.call("fcntl", Syscall.FCNTL, number(), F_SETFL, flags | O_NONBLOCK);
  }

  /// Reads into native memory; the count, 0 at the end, or the negated error number.
  int read(MemorySegment buffer) {
    return (int) Kernel.attempt(Syscall.READ, number(), buffer.address(), buffer.byteSize());
  }

  /// Writes from native memory; the count or the negated error number.
  int write(MemorySegment bytes) {
    return (int) Kernel.attempt(Syscall.WRITE, number(), bytes.address(), bytes.byteSize());
  }

  @Override
  public synchronized void close() {
    if (number >= 0) {
      Kernel.attempt(Syscall.CLOSE, number);
      number = -1;
    }
  }

  /// The two ends of a pipe, reading end first.
  static Descriptor[] pipe() throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment pair = arena.allocate(ValueLayout.JAVA_INT, 2);
      Kernel.call("cannot make a pipe", Syscall.PIPE2, pair.address(), Kernel.O_CLOEXEC);
      return new Descriptor[] {
        new Descriptor(pair.getAtIndex(ValueLayout.JAVA_INT, 0)),
        new Descriptor(pair.getAtIndex(ValueLayout.JAVA_INT, 1))
      };
    }
  }
}
