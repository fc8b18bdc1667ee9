package dev.microsandbox.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A block device over a file. It is set up to clear itself when its last user is gone: this
/// descriptor, or the file system mounted from it. So a device is never left behind.
final class LoopDevice implements AutoCloseable {
  private static final long LOOP_CONFIGURE = 0x4C0A;
  private static final long LOOP_CTL_GET_FREE = 0x4C82;
  private static final int READ_ONLY = 1;
  private static final int AUTOCLEAR = 4;
  private static final int DIRECT_IO = 16;
  private static final int CONFIG = 304;
  private static final int FLAGS_AT = 60;
  private static final int NAME_AT = 64;
  private static final int NAME_SIZE = 63;
  private static final int BLOCK = 4096;
  private static final int ATTEMPTS = 64;

  private final Path path;
  private final Descriptor device;

  private LoopDevice(Path path, Descriptor device) {
    this.path = path;
    this.device = device;
  }

  /// Over a file that is written: past the page cache where the file's own file system can, so that
  /// nothing is cached twice.
  static LoopDevice writable(Path file) throws LinuxException {
    return attach(file, Descriptor.O_RDWR, AUTOCLEAR | DIRECT_IO, BLOCK);
  }

  static LoopDevice readOnly(Path file) throws LinuxException {
    return attach(file, Descriptor.O_RDONLY, AUTOCLEAR | READ_ONLY, 0);
  }

  private static LoopDevice attach(Path file, int access, int flags, int block)
      throws LinuxException {
    try (Descriptor backing = Descriptor.open(file, access);
        Descriptor control = Descriptor.open(Path.of("/dev/loop-control"), Descriptor.O_RDWR)) {
      for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        long number =
            Kernel.call("no free loop device", Syscall.IOCTL, control.number(), LOOP_CTL_GET_FREE);
        Path path = Path.of("/dev/loop" + number);
        Descriptor device = Descriptor.open(path, access);
        long result = configure(device, backing, file, flags, block);
        if (result >= 0) {
          return new LoopDevice(path, device);
        }
        device.close();
        // Somebody else was quicker to take the free one.
        if (result != -Errno.EBUSY) {
          throw new LinuxException("cannot set up " + path, (int) -result);
        }
      }
      throw new LinuxException("no free loop device", Errno.EBUSY);
    }
  }

  private static long configure(
      Descriptor device, Descriptor backing, Path file, int flags, int block) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment config = arena.allocate(CONFIG, 8);
      config.set(ValueLayout.JAVA_INT, 0, backing.number());
      config.set(ValueLayout.JAVA_INT, 4, block);
      config.set(ValueLayout.JAVA_INT, FLAGS_AT, flags);
      byte[] name = file.toString().getBytes(StandardCharsets.UTF_8);
      int length = Math.min(NAME_SIZE, name.length);
      MemorySegment.copy(name, 0, config, ValueLayout.JAVA_BYTE, NAME_AT, length);
      return Kernel.attempt(Syscall.IOCTL, device.number(), LOOP_CONFIGURE, config.address());
    }
  }

  Path path() {
    return path;
  }

  /// The devices that are set up over this file, by their folders in /sys: a look at every device
  /// of the host.
  static List<Path> over(Path file) throws IOException {
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/sys/block"), "loop*")) {
      for (Path each : all) {
        if (isOver(each, file)) {
          found.add(each);
        }
      }
    }
    return found;
  }

  /// Whether this device is (still) set up over this file.
  ///
  /// @param device its folder in /sys
  static boolean isOver(Path device, Path file) {
    return backingFile(device).equals(file.toString());
  }

  private static String backingFile(Path device) {
    try {
      return Files.readString(device.resolve("loop/backing_file")).stripTrailing();
    } catch (IOException e) {
      return ""; // it is not set up
    }
  }

  @Override
  public void close() {
    device.close();
  }
}
