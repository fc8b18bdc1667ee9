package dev.microsandbox.isolation.oci;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/// Where the container driver keeps things, and what the operator decided.
///
/// @param home of the server; disks are below it
/// @param sockets below which each home has a short folder for its channels: a socket's path holds
///   107 bytes
/// @param agent the program that becomes the first process of every sandbox
/// @param runtime `crun` or `runc`, or a path to one; null to take what works best
/// @param strictRuntime whether a runtime with known holes is refused instead of warned about
/// @param startLimit after which a runtime that has not started a container is killed
public record ContainerSettings(
    Path home,
    Path sockets,
    Path agent,
    @Nullable String runtime,
    boolean strictRuntime,
    Duration startLimit) {
  private static final Path DEFAULT_SOCKETS = Path.of("/run/microsandbox");
  private static final Duration START = Duration.ofSeconds(20);
  private static final int SHORT = 8;

  public ContainerSettings {
    home = home.toAbsolutePath().normalize();
    sockets = sockets.toAbsolutePath().normalize();
    agent = agent.toAbsolutePath().normalize();
  }

  /// With the usual places, and whatever runtime works best.
  public static ContainerSettings of(Path home, Path agent) {
    return new ContainerSettings(home, DEFAULT_SOCKETS, agent, null, false, START);
  }

  public ContainerSettings withRuntime(@Nullable String name) {
    return new ContainerSettings(home, sockets, agent, name, strictRuntime, startLimit);
  }

  /// With another place for the channels' sockets.
  public ContainerSettings withSockets(Path folder) {
    return new ContainerSettings(home, folder, agent, runtime, strictRuntime, startLimit);
  }

  /// With another patience for runtimes.
  public ContainerSettings withStartLimit(Duration limit) {
    return new ContainerSettings(home, sockets, agent, runtime, strictRuntime, limit);
  }

  /// Refuses runtimes with known holes, or only warns about them.
  public ContainerSettings withStrictRuntime(boolean strict) {
    return new ContainerSettings(home, sockets, agent, runtime, strict, startLimit);
  }

  /// Eight hexadecimal digits that stand for this home in the names of groups and folders.
  String shortName() {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256")
              .digest(home.toString().getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest).substring(0, SHORT);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
