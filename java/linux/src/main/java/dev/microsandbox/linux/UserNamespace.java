package dev.microsandbox.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/// A user namespace that maps the ids 0 to 65535 to a block of the host's, held by its descriptor
/// alone: nothing runs in it. It serves to shift mounts.
final class UserNamespace implements AutoCloseable {
  private static final int IDS = 65_536;
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final Descriptor descriptor;

  private UserNamespace(Descriptor descriptor) {
    this.descriptor = descriptor;
  }

  Descriptor descriptor() {
    return descriptor;
  }

  /// A thread of the JVM cannot make one for itself, so a short-lived `cat` does: it has entered it
  /// once it echoes a byte, and ends when its input does.
  static UserNamespace create(int firstHostId) throws IOException {
    Path unshare = HostCommand.find("unshare");
    if (unshare == null) {
      throw new LinuxException("no such program: unshare; install util-linux", Errno.ENOENT);
    }
    Descriptor[] in = Descriptor.pipe();
    Descriptor[] out = Descriptor.pipe();
    try (Descriptor toChild = in[1];
        Descriptor fromChild = out[0];
        Descriptor nothing = Descriptor.open(Path.of("/dev/null"), Descriptor.O_RDWR)) {
      ChildProcess child;
      try (Descriptor a = in[0];
          Descriptor b = out[1]) {
        child =
            ChildProcess.start(
                new Spawn.Plan(
                    unshare,
                    List.of("unshare", "--user", "cat"),
                    Map.of("PATH", "/usr/bin:/bin"),
                    null,
                    new int[] {a.number(), b.number(), nothing.number()}));
      }
      try (child) {
        awaitEcho(toChild, fromChild);
        Path process = Path.of("/proc", Integer.toString(child.pid()));
        String map = "0 " + firstHostId + " " + IDS + "\n";
        Files.writeString(process.resolve("uid_map"), map);
        Files.writeString(process.resolve("gid_map"), map);
        return new UserNamespace(Descriptor.open(process.resolve("ns/user"), Descriptor.O_RDONLY));
      }
    }
  }

  private static void awaitEcho(Descriptor toChild, Descriptor fromChild) throws LinuxException {
    try (Arena arena = Arena.ofConfined();
        Poll poll = new Poll(1)) {
      MemorySegment one = arena.allocate(1);
      toChild.write(one);
      poll.add(fromChild.number(), Poll.IN);
      if (!poll.await(PATIENCE) || fromChild.read(one) != 1) {
        throw new LinuxException("cannot make a user namespace", Errno.EPERM);
      }
    }
  }

  @Override
  public void close() {
    descriptor.close();
  }
}
