package dev.microsandbox.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

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

  /// What it is set up to, while this descriptor or a mount keeps it so.
  Setup setup(Path file) throws IOException {
    return new Setup(Setup.folder(path), Setup.sequence(Setup.folder(path)), FileKey.of(file));
  }

  /// A file, whatever it is called and wherever it is mounted.
  record FileKey(long device, long inode) {
    static FileKey of(Path file) throws IOException {
      Map<String, Object> found = Files.readAttributes(file, "unix:dev,ino");
      return new FileKey(number(found, "dev"), number(found, "ino"));
    }

    private static long number(Map<String, Object> attributes, String name) {
      return ((Number) Objects.requireNonNull(attributes.get(name))).longValue();
    }
  }

  /// One time that a device was set up over a file. Its number is given to others afterwards, the
  /// sequence is not.
  ///
  /// @param folder of the device in /sys
  /// @param sequence the kernel's count of disks that came and went in any device
  record Setup(Path folder, String sequence, FileKey file) {
    private static final long GET_STATUS = 0x4C05;
    private static final int STATUS = 232;

    private static Path folder(Path device) {
      return Path.of("/sys/block").resolve(device.getFileName());
    }

    /// Since Linux 5.15, which is older than what shifted ids under overlayfs need.
    private static String sequence(Path folder) throws IOException {
      return Files.readString(folder.resolve("diskseq"));
    }

    /// What a device of the host is set up to; null where that is nothing, or no file of this name.
    ///
    /// The kernel tells a file's path as the mount namespace of who set it up had it, and only a
    /// part of it when that has gone with its server: the name is all that can be relied on.
    static @Nullable Setup find(Path folder, String name) throws IOException {
      if (!backingFile(folder).endsWith("/" + name)) {
        return null;
      }
      try (Descriptor device =
              Descriptor.open(Path.of("/dev").resolve(folder.getFileName()), Descriptor.O_RDONLY);
          Arena arena = Arena.ofConfined()) {
        String sequence = sequence(folder);
        MemorySegment status = arena.allocate(STATUS, 8);
        long result = Kernel.attempt(Syscall.IOCTL, device.number(), GET_STATUS, status.address());
        return result == 0 ? new Setup(folder, sequence, fileOf(status)) : null;
      } catch (LinuxException e) {
        if (e.errno() == Errno.ENXIO) {
          return null; // it is being cleared
        }
        throw e;
      }
    }

    private static FileKey fileOf(MemorySegment status) {
      return new FileKey(
          status.get(ValueLayout.JAVA_LONG, 0), status.get(ValueLayout.JAVA_LONG, 8));
    }

    private static String backingFile(Path folder) {
      try {
        return Files.readString(folder.resolve("loop/backing_file")).stripTrailing();
      } catch (IOException e) {
        return ""; // it is not set up
      }
    }

    /// Whether it is still set up so.
    boolean lasts() {
      try {
        return Files.exists(folder.resolve("loop")) && sequence(folder).equals(sequence);
      } catch (IOException e) {
        return false; // the device itself has gone
      }
    }
  }

  @Override
  public void close() {
    device.close();
  }
}
