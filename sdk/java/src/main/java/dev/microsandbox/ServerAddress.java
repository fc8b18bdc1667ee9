package dev.microsandbox;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Where a server is. With a socket, HTTP is spoken over that unix socket and no key is needed.
///
/// @param socket of the local server; null for TCP
/// @param uri of the server for TCP, without a path
/// @param apiKey sent as a bearer token; null for none
/// @param named whether somebody chose this address; only an unnamed one may be started by a client
public record ServerAddress(
    @Nullable Path socket, URI uri, @Nullable String apiKey, boolean named) {
  public static final Path DEFAULT_SOCKET = Path.of("/run/microsandbox/msb.sock");
  private static final URI DEFAULT_URI = URI.create("http://127.0.0.1:5555");
  private static final String UNIX = "unix:";

  /// What the environment says (`MSB_SERVER_URL`, `MSB_API_KEY`), else the local socket, else the
  /// default TCP address.
  public static ServerAddress fromEnvironment(Map<String, String> environment) {
    String key = environment.get("MSB_API_KEY");
    String url = Optional.ofNullable(environment.get("MSB_SERVER_URL")).orElse("");
    if (!url.isEmpty()) {
      return parse(url, key);
    }
    return Files.exists(DEFAULT_SOCKET)
        ? new ServerAddress(DEFAULT_SOCKET, DEFAULT_URI, key, false)
        : new ServerAddress(null, DEFAULT_URI, key, false);
  }

  /// Reads `http://host:port`, `https://host:port` or `unix:/path`.
  public static ServerAddress parse(String url, @Nullable String apiKey) {
    if (url.startsWith(UNIX)) {
      return new ServerAddress(
          Path.of("/" + url.substring(UNIX.length()).replaceFirst("^/+", "")),
          DEFAULT_URI,
          apiKey,
          true);
    }
    if (!url.startsWith("http://") && !url.startsWith("https://")) {
      throw new SandboxException(
          "invalid_request",
          "not a server's address: " + url + "; write http://host:port or unix:/path",
          Map.of());
    }
    return new ServerAddress(null, URI.create(url.replaceFirst("/+$", "")), apiKey, true);
  }

  /// For messages; never the key.
  @Override
  public String toString() {
    return socket != null ? UNIX + socket : uri.toString();
  }
}
