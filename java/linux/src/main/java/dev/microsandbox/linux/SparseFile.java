package dev.microsandbox.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;

/// Copies of files that are mostly holes.
final class SparseFile {
  private static final long FICLONE = 0x40049409;
  private static final int SEEK_DATA = 3;
  private static final int SEEK_HOLE = 4;
  private static final int OWNER_ONLY = 0600;
  private static final long BLOCK = 512; // the unit of st_blocks, whatever the file system's

  private SparseFile() {}

  /// Makes a new file: sharing its blocks with the old one where the file system can, else by
  /// copying its data and none of its holes.
  static void copy(Path from, Path to) throws IOException {
    int create = Descriptor.O_RDWR | Descriptor.O_CREAT | Descriptor.O_EXCL;
    try (Descriptor source = Descriptor.open(from, Descriptor.O_RDONLY);
        Descriptor target = Descriptor.open(to, create, OWNER_ONLY)) {
      if (Kernel.attempt(Syscall.IOCTL, target.number(), FICLONE, source.number()) == 0) {
        return;
      }
      long size = Files.size(from);
      Kernel.call("cannot size a copy", Syscall.FTRUNCATE, target.number(), size);
      copyData(source, target, size);
    } catch (IOException e) {
      Files.deleteIfExists(to);
      throw e;
    }
  }

  private static void copyData(Descriptor source, Descriptor target, long size)
      throws LinuxException {
    long end = 0;
    while (end < size) {
      long start = Kernel.attempt(Syscall.LSEEK, source.number(), end, SEEK_DATA);
      if (start == -Errno.ENXIO) {
        return; // nothing but a hole is left
      }
      if (start < 0) {
        throw new LinuxException("cannot read a file's holes", (int) -start);
      }
      end =
          Kernel.call(
              "cannot read a file's holes", Syscall.LSEEK, source.number(), start, SEEK_HOLE);
      copyRange(source, target, start, end);
    }
  }

  private static void copyRange(Descriptor source, Descriptor target, long start, long end)
      throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment in = arena.allocateFrom(ValueLayout.JAVA_LONG, start);
      MemorySegment out = arena.allocateFrom(ValueLayout.JAVA_LONG, start);
      long left = end - start;
      while (left > 0) {
        long copied =
            Kernel.call(
                "cannot copy a file",
                Syscall.COPY_FILE_RANGE,
                source.number(),
                in.address(),
                target.number(),
                out.address(),
                left,
                0);
        if (copied == 0) {
          throw new LinuxException("a file became shorter while it was copied");
        }
        left -= copied;
      }
    }
  }

  /// The bytes that a file takes on its disk.
  static long allocated(Path file) throws LinuxException {
    try (Descriptor open = Descriptor.open(file, Descriptor.O_PATH);
        Arena arena = Arena.ofConfined()) {
      MemorySegment statx = arena.allocate(256, 8);
      Kernel.call(
          "cannot stat " + file,
          Syscall.STATX,
          open.number(),
          Kernel.text(arena, ""),
          Kernel.AT_EMPTY_PATH,
          0x400, // STATX_BLOCKS
          statx.address());
      return statx.get(ValueLayout.JAVA_LONG, 48) * BLOCK;
    }
  }
}
