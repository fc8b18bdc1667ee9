package dev.microsandbox.isolation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/// The real parts that a driver's tests need: the built agent, a default image, a home of their
/// own.
public final class TestParts {
  private TestParts() {}

  /// The agent's binary: `MSB_AGENT`, or the one that `agent/build` has left in this project.
  public static Path agent() {
    String given = System.getenv("MSB_AGENT");
    if (given != null) {
      return Path.of(given);
    }
    for (Path folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
      Path built = folder.resolve("agent/target/release/agent");
      if (Files.isExecutable(built)) {
        return built;
      }
    }
    throw new AssertionError("the agent is not built; run agent/build");
  }

  /// The default Python image of the host's store, for reading only.
  public static Path pythonImage() throws IOException {
    String home = System.getenv().getOrDefault("MICROSANDBOX_HOME", "/var/lib/microsandbox");
    Path file = Path.of(home, "images/python/current/rootfs.erofs");
    if (!Files.exists(file)) {
      throw new AssertionError("no image " + file + "; run images/build");
    }
    return file.toRealPath();
  }

  /// A home with a short path that a sandbox's root can pass through.
  public static Path newHome() throws IOException {
    Path home = Files.createTempDirectory("msb");
    Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwx--x--x"));
    return home;
  }
}
