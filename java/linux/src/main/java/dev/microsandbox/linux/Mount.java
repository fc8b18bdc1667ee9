package dev.microsandbox.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;

/// A mount that is held by a descriptor, attached nowhere yet. It vanishes when closed unattached.
final class Mount implements AutoCloseable {
  static final long READ_ONLY = 1;
  static final long NOSUID = 2;
  static final long NODEV = 4;
  static final long NOEXEC = 8;
  static final long NOATIME = 0x10;

  private static final long IDMAP = 0x100000;
  private static final long CLOEXEC = 1; // of fsopen and fsmount
  private static final long SET_FLAG = 0;
  private static final long SET_STRING = 1;
  private static final long CREATE = 6;
  private static final long TREE_CLONE = 1;
  private static final long FROM_EMPTY_PATH = 4;
  private static final long DETACH = 2;
  private static final int MOUNT_ATTR = 32;

  private final Descriptor tree;

  private Mount(Descriptor tree) {
    this.tree = tree;
  }

  /// Makes a filesystem's mount.
  ///
  /// @param options an empty value stands for a flag
  /// @param attributes of the mount, as the constants here
  static Mount create(String type, Map<String, String> options, long attributes)
      throws LinuxException {
    try (Arena arena = Arena.ofConfined();
        Descriptor context =
            new Descriptor(
                Kernel.call(
                    "no file system " + type, Syscall.FSOPEN, Kernel.text(arena, type), CLOEXEC))) {
      for (var option : options.entrySet()) {
        configure(arena, context, type, option.getKey(), option.getValue());
      }
      checked(context, type, Kernel.attempt(Syscall.FSCONFIG, context.number(), CREATE, 0, 0, 0));
      return new Mount(
          new Descriptor(
              Kernel.call(
                  "cannot mount " + type, Syscall.FSMOUNT, context.number(), CLOEXEC, attributes)));
    }
  }

  private static void configure(
      Arena arena, Descriptor context, String type, String key, String value)
      throws LinuxException {
    long name = Kernel.text(arena, key);
    long result =
        value.isEmpty()
            ? Kernel.attempt(Syscall.FSCONFIG, context.number(), SET_FLAG, name, 0, 0)
            : Kernel.attempt(
                Syscall.FSCONFIG, context.number(), SET_STRING, name, Kernel.text(arena, value), 0);
    checked(context, type + " option " + key, result);
  }

  /// A copy of what is mounted at a path.
  static Mount copyOf(Path path) throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      return new Mount(
          new Descriptor(
              Kernel.call(
                  "cannot copy the mount of " + path,
                  Syscall.OPEN_TREE,
                  Kernel.AT_FDCWD,
                  Kernel.text(arena, path.toString()),
                  TREE_CLONE | Kernel.O_CLOEXEC)));
    }
  }

  /// Shifts the owners of its files as a user namespace maps them. Before it is attached.
  void shiftIds(UserNamespace namespace) throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment attr = arena.allocate(MOUNT_ATTR, 8);
      attr.set(ValueLayout.JAVA_LONG, 0, IDMAP);
      attr.set(ValueLayout.JAVA_LONG, 24, namespace.descriptor().number());
      Kernel.call(
          "cannot shift a mount's ids",
          Syscall.MOUNT_SETATTR,
          tree.number(),
          Kernel.text(arena, ""),
          Kernel.AT_EMPTY_PATH,
          attr.address(),
          MOUNT_ATTR);
    }
  }

  void attach(Path at) throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      Kernel.call(
          "cannot attach a mount at " + at,
          Syscall.MOVE_MOUNT,
          tree.number(),
          Kernel.text(arena, ""),
          Kernel.AT_FDCWD,
          Kernel.text(arena, at.toString()),
          FROM_EMPTY_PATH);
    }
  }

  /// Takes away what is mounted at a path; it lives on where it is used. Whether there was any.
  static boolean detach(Path at) {
    try (Arena arena = Arena.ofConfined()) {
      return Kernel.attempt(Syscall.UMOUNT2, Kernel.text(arena, at.toString()), DETACH) == 0;
    }
  }

  /// Adds what the file system itself said, which is the only place where reasons are told.
  private static void checked(Descriptor context, String what, long result) throws LinuxException {
    if (result >= 0) {
      return;
    }
    StringBuilder said = new StringBuilder();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(1024);
      int count;
      while ((count = context.read(buffer)) > 0 && said.length() < 4096) {
        byte[] text = buffer.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE);
        said.append(' ').append(new String(text, StandardCharsets.UTF_8).strip());
      }
    }
    throw new LinuxException("cannot mount " + what + said, (int) -result);
  }

  @Override
  public void close() {
    tree.close();
  }
}
