package dev.microsandbox.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/// A small file of the kernel's with lines of `key value`, kept open: it is read at each cell, and
/// looking for it anew by its path takes ten times as long.
final class CounterFile implements AutoCloseable {
  private static final int LARGEST = 1024;

  private final Descriptor file;
  private final MemorySegment buffer = Arena.ofAuto().allocate(LARGEST);

  private CounterFile(Descriptor file) {
    this.file = file;
  }

  static CounterFile open(Path path) throws LinuxException {
    return new CounterFile(Descriptor.open(path, Descriptor.O_RDONLY));
  }

  /// The value of a key as it is now; 0 where there is no such line.
  ///
  /// @throws IOException where the file is gone, or was closed
  synchronized long value(String key) throws IOException {
    if (!file.isOpen()) {
      throw new IOException("the counters are closed");
    }
    long length =
        Kernel.call(
            "cannot read counters", Syscall.PREAD64, file.number(), buffer.address(), LARGEST, 0);
    byte[] bytes = buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
    for (String line : new String(bytes, StandardCharsets.US_ASCII).split("\n")) {
      if (line.startsWith(key) && line.indexOf(' ') == key.length()) {
        return Long.parseLong(line.substring(key.length() + 1).strip());
      }
    }
    return 0;
  }

  @Override
  public synchronized void close() {
    file.close();
  }
}
