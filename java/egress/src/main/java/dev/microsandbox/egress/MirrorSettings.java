package dev.microsandbox.egress;

import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Gathers the mirrors that the host's tools are set to.
final class MirrorSettings {
  private static final System.Logger LOG = System.getLogger(MirrorSettings.class.getName());
  private static final String LOOPBACK_SUFFIX = ".host.microsandbox.internal";

  private final Map<String, String> environment = new HashMap<>();
  private final Set<Endpoint> endpoints = new HashSet<>();
  private final Map<String, Endpoint> names = new HashMap<>();

  /// Adds to a variable's words.
  void variable(String name, String value) {
    if (!value.isBlank()) {
      environment.merge(name, value, (before, more) -> before + " " + more);
    }
  }

  /// Takes an index's URL; returns it as sandboxes are to use it, without credentials, or empty
  /// where they cannot.
  Optional<String> index(String url) {
    try {
      URI uri = new URI(url.strip());
      String scheme = String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
      boolean secure = scheme.equals("https");
      if ((!secure && !scheme.equals("http")) || uri.getHost() == null) {
        return Optional.empty();
      }
      String host = unbracketed(uri.getHost());
      Endpoint endpoint =
          new Endpoint(host, uri.getPort() >= 0 ? uri.getPort() : secure ? 443 : 80);
      if (isLoopback(host)) {
        return secure ? notPassedOn() : Optional.of(loopback(uri, endpoint));
      }
      endpoints.add(endpoint);
      return Optional.of(url(uri, uri.getHost()));
    } catch (URISyntaxException | IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  /// In a sandbox the loopback is the sandbox's own: such a mirror gets a name that leads to
  /// exactly its port here.
  private String loopback(URI uri, Endpoint endpoint) {
    String name = "mirror-" + endpoint.port() + LOOPBACK_SUFFIX;
    names.put(name, new Endpoint("127.0.0.1", endpoint.port()));
    variable("PIP_TRUSTED_HOST", name);
    return url(uri, name);
  }

  /// Without user and password.
  private static String url(URI uri, String host) {
    return uri.getScheme()
        + "://"
        + host
        + (uri.getPort() < 0 ? "" : ":" + uri.getPort())
        + uri.getRawPath()
        + (uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery());
  }

  private static Optional<String> notPassedOn() {
    LOG.log(
        System.Logger.Level.WARNING,
        "a package mirror on this host''s loopback is not passed on to sandboxes, since its"
            + " certificate is for a name that means something else there; give it a name of its"
            + " own");
    return Optional.empty();
  }

  static boolean isLoopback(String host) {
    return host.equals("localhost")
        || host.endsWith(".localhost")
        || Names.literal(host).filter(InetAddress::isLoopbackAddress).isPresent();
  }

  private static String unbracketed(String host) {
    return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
  }

  PackageMirrors build() {
    return new PackageMirrors(environment, endpoints, names);
  }
}
