package dev.microsandbox.server;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// Where the server listens and what it accepts. Which combinations are safe is decided here.
///
/// @param host address to listen on; beyond loopback only with `tls` or `behindProxy`
/// @param port 0 for any free one
/// @param socket the unix socket's path; null for none
/// @param dev no keys; only on loopback
/// @param behindProxy another server in front of this one speaks TLS
/// @param tls null for plain HTTP
public record ServerSettings(
    String host,
    int port,
    @Nullable Path socket,
    boolean dev,
    boolean behindProxy,
    @Nullable Tls tls,
    HttpLimits limits) {
  public static final String DEFAULT_HOST = "127.0.0.1";
  public static final int DEFAULT_PORT = 5555;
  public static final Path DEFAULT_SOCKET = Path.of("/run/microsandbox/msb.sock");

  /// A certificate with its chain, and its key, both PEM.
  public record Tls(Path certificate, Path key) {}

  /// @throws IllegalArgumentException for a combination that would not be safe; its message is for
  ///   the operator
  public ServerSettings {
    if (port < 0 || port > 65_535) {
      throw new IllegalArgumentException("port must be between 0 and 65535");
    }
    boolean loopback = isLoopback(host);
    if (dev && (!loopback || behindProxy)) {
      throw new IllegalArgumentException(
          "--dev turns keys off and is allowed on a loopback address only; leave it out and use `msb"
              + " key create`");
    }
    if (!loopback && tls == null && !behindProxy) {
      throw new IllegalArgumentException(
          "a listener beyond loopback needs --tls-certificate and --tls-key, or --behind-proxy");
    }
  }

  /// On loopback, with keys.
  public static ServerSettings local(int port, @Nullable Path socket, boolean dev) {
    return new ServerSettings(DEFAULT_HOST, port, socket, dev, false, null, HttpLimits.DEFAULT);
  }

  /// Whether browsers of this machine alone reach the listener, so that a Host header must be a
  /// loopback name.
  boolean onlyLoopback() {
    return !behindProxy && isLoopback(host);
  }

  private static boolean isLoopback(String host) {
    try {
      for (InetAddress address : InetAddress.getAllByName(host)) {
        if (!address.isLoopbackAddress()) {
          return false;
        }
      }
      return true;
    } catch (UnknownHostException _) {
      throw new IllegalArgumentException("not an address of this host: " + host);
    }
  }

  /// Bounds on what a client may send or hold.
  ///
  /// @param allBodiesBytes memory that all bodies together may hold
  /// @param header the longest that a request's line and headers may take to arrive
  /// @param body the longest that its body may take; of a file's content, each further 64 KiB
  /// @param idle after which a connection without a request is closed
  /// @param stall the longest that a client may leave a stream, or a piece of a file, unread
  /// @param drain how long requests under way may take when the server stops
  public record HttpLimits(
      int connections,
      int headerBytes,
      int jsonBytes,
      long allBodiesBytes,
      Duration header,
      Duration body,
      Duration idle,
      Duration stall,
      Duration drain) {
    private static final int MIB = 1024 * 1024;

    public static final HttpLimits DEFAULT =
        new HttpLimits(
            1024,
            16 * 1024,
            10 * MIB,
            Runtime.getRuntime().maxMemory() / 4,
            Duration.ofSeconds(10),
            Duration.ofSeconds(30),
            Duration.ofSeconds(60),
            Duration.ofMinutes(5),
            Duration.ofSeconds(10));
  }
}
