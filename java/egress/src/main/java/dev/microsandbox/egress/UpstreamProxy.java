package dev.microsandbox.egress;

import java.net.InetAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/// A proxy that this host has to go through. Sandboxes never hear of it: the host dials through it,
/// by CONNECT, what the policy allows.
///
/// @param authorization value of `Proxy-Authorization`; empty for none
/// @param direct names, suffixes and networks that are dialled directly (NO_PROXY)
public record UpstreamProxy(Endpoint endpoint, String authorization, List<String> direct) {
  private static final int DEFAULT_PORT = 80;

  public UpstreamProxy {
    direct = List.copyOf(direct);
  }

  /// Reads the values of HTTPS_PROXY and NO_PROXY; empty where there is no proxy of a kind that can
  /// be used.
  static Optional<UpstreamProxy> parse(String url, String noProxy) {
    if (url.isBlank()) {
      return Optional.empty();
    }
    try {
      URI uri = URI.create(url.contains("://") ? url : "http://" + url);
      if (!"http".equalsIgnoreCase(uri.getScheme()) || uri.getHost() == null) {
        throw new IllegalArgumentException("only http:// proxies can be used");
      }
      Endpoint endpoint =
          new Endpoint(
              unbracketed(uri.getHost()), uri.getPort() < 0 ? DEFAULT_PORT : uri.getPort());
      return Optional.of(new UpstreamProxy(endpoint, basic(uri.getUserInfo()), split(noProxy)));
    } catch (IllegalArgumentException e) {
      System.getLogger(UpstreamProxy.class.getName())
          .log(
              System.Logger.Level.WARNING,
              "the host''s proxy setting is not used for sandboxes: {0}",
              "only http:// proxies can be used");
      return Optional.empty();
    }
  }

  /// Whether NO_PROXY names this destination.
  boolean isDirect(InetAddress address, int port, List<String> names) {
    return direct.stream().anyMatch(entry -> matches(entry, address, port, names));
  }

  private static boolean matches(String entry, InetAddress address, int port, List<String> names) {
    if (entry.equals("*")) {
      return true;
    }
    Optional<Network> network = network(entry);
    if (network.isPresent()) {
      return network.get().contains(address);
    }
    Endpoint wanted;
    try {
      wanted = Endpoint.parse(entry.startsWith("*.") ? entry.substring(1) : entry);
    } catch (IllegalArgumentException _) {
      return false;
    }
    if (wanted.port() != 0 && wanted.port() != port) {
      return false;
    }
    String suffix = wanted.host().startsWith(".") ? wanted.host() : "." + wanted.host();
    return names.stream().anyMatch(name -> ("." + name).endsWith(suffix));
  }

  private static Optional<Network> network(String entry) {
    try {
      return Optional.of(Network.parse(entry));
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  private static String basic(@org.jspecify.annotations.Nullable String userInfo) {
    return userInfo == null
        ? ""
        : "Basic " + Base64.getEncoder().encodeToString(userInfo.getBytes(StandardCharsets.UTF_8));
  }

  private static List<String> split(String noProxy) {
    List<String> entries = new ArrayList<>();
    for (String entry : noProxy.split(",", -1)) {
      if (!entry.isBlank()) {
        entries.add(entry.strip());
      }
    }
    return entries;
  }

  private static String unbracketed(String host) {
    return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
  }

  @Override
  public String toString() {
    return "UpstreamProxy[" + endpoint + "]"; // never its credentials
  }
}
