package dev.microsandbox.egress;

import java.util.Locale;
import java.util.Objects;

/// A host, by name or address, and a port; 0 where the port is left to the caller.
///
/// @param host a name in lower case, or a numeric address without brackets
public record Endpoint(String host, int port) {

  public Endpoint {
    host = Names.normal(Objects.requireNonNull(host));
    if (host.isEmpty() || port < 0 || port > 65_535) {
      throw new IllegalArgumentException("not a host and port: " + host + ":" + port);
    }
  }

  /// Reads `host`, `host:port`, `[v6]`, `[v6]:port`, or a bare IPv6 address.
  public static Endpoint parse(String text) {
    String trimmed = text.strip();
    int colon = trimmed.lastIndexOf(':');
    boolean bracketed = trimmed.startsWith("[");
    int closing = trimmed.indexOf(']');
    if (bracketed && closing < 0) {
      throw new IllegalArgumentException("not a host and port: " + text);
    }
    boolean bare = !bracketed && colon >= 0 && trimmed.indexOf(':') != colon;
    if (colon < 0 || bare || (bracketed && colon < closing)) {
      return new Endpoint(unbracketed(trimmed), 0);
    }
    return new Endpoint(
        unbracketed(trimmed.substring(0, colon)), port(trimmed.substring(colon + 1), text));
  }

  private static int port(String digits, String text) {
    try {
      return Integer.parseInt(digits);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("not a host and port: " + text, e);
    }
  }

  private static String unbracketed(String host) {
    return host.startsWith("[") && host.endsWith("]")
        ? host.substring(1, host.length() - 1).toLowerCase(Locale.ROOT)
        : host;
  }
}
