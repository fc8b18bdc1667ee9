package dev.microsandbox;

import java.net.URI;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Where a server is. With a socket, HTTP is spoken over that unix socket and no key is needed.
///
/// @param socket of the local server; null for TCP
/// @param uri of the server for TCP, without a path
/// @param apiKey sent as a bearer token; null for none
public record ServerAddress(@Nullable Path socket, URI uri, @Nullable String apiKey) {
  /// Of a local server that was not told otherwise.
  public static final Path DEFAULT_SOCKET = Path.of("/run/microsandbox/msb.sock");

  static final URI DEFAULT_URI = URI.create("http://127.0.0.1:5555");
  private static final String UNIX = "unix:";

  /// A local server's unix socket.
  public static ServerAddress of(Path socket) {
    return new ServerAddress(socket, DEFAULT_URI, null);
  }

  /// Reads `http://host:port`, `https://host:port` or `unix:/path`.
  public static ServerAddress parse(String url, @Nullable String apiKey) {
    if (url.startsWith(UNIX)) {
      return new ServerAddress(
          Path.of("/" + url.substring(UNIX.length()).replaceFirst("^/+", "")), DEFAULT_URI, apiKey);
    }
    if (!url.startsWith("http://") && !url.startsWith("https://")) {
      throw new SandboxException(
          ErrorCode.INVALID_REQUEST,
          "not a server's address: " + url + "; write http://host:port or unix:/path");
    }
    try {
      return new ServerAddress(null, URI.create(url.replaceFirst("/+$", "")), apiKey);
    } catch (IllegalArgumentException e) {
      throw SandboxException.because(
          ErrorCode.INVALID_REQUEST, "not a server's address: " + url, e);
    }
  }

  /// For messages; never the key.
  @Override
  public String toString() {
    return socket != null ? UNIX + socket : uri.toString();
  }
}
