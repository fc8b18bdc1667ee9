package dev.microsandbox.egress;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// What the host itself uses to reach the outside: its package mirrors, its certificate
/// authorities, its proxy. The one place that reads the environment and the tools' files for these.
///
/// @param authorities PEM files that may hold authorities of the host's own
public record HostNetworkSettings(
    PackageMirrors mirrors, List<Path> authorities, Optional<UpstreamProxy> proxy) {
  public static final HostNetworkSettings NONE =
      new HostNetworkSettings(PackageMirrors.NONE, List.of(), Optional.empty());

  private static final List<String> AUTHORITY_VARIABLES =
      List.of(
          "SSL_CERT_FILE",
          "REQUESTS_CA_BUNDLE",
          "CURL_CA_BUNDLE",
          "PIP_CERT",
          "NODE_EXTRA_CA_CERTS",
          "GIT_SSL_CAINFO");
  private static final List<String> SYSTEM_BUNDLES =
      List.of(
          "/etc/ssl/certs/ca-certificates.crt",
          "/etc/pki/tls/certs/ca-bundle.crt",
          "/etc/ssl/ca-bundle.pem",
          "/etc/ssl/cert.pem");

  public HostNetworkSettings {
    authorities = List.copyOf(authorities);
  }

  /// Reads this process's environment, and the files of the user it runs as.
  public static HostNetworkSettings read() {
    return read(System.getenv(), Path.of("/"), Path.of(System.getProperty("user.home", "/root")));
  }

  /// @param root what stands for the host's root folder
  static HostNetworkSettings read(Map<String, String> environment, Path root, Path home) {
    HostEnvironment variables = new HostEnvironment(environment);
    MirrorSettings mirrors = new MirrorSettings();
    PipSettings pip = PipSettings.read(variables, root, home);
    NpmSettings npm = NpmSettings.read(variables, root, home);
    pip.addTo(mirrors);
    npm.addTo(mirrors);
    List<String> named = List.of(pip.authorities(), npm.authorities());
    return new HostNetworkSettings(
        mirrors.build(), authorities(variables, named, root), proxy(variables));
  }

  private static Optional<UpstreamProxy> proxy(HostEnvironment variables) {
    String url =
        Stream.of("https_proxy", "all_proxy", "http_proxy")
            .map(variables::anyCase)
            .filter(value -> !value.isBlank())
            .findFirst()
            .orElse("");
    return UpstreamProxy.parse(url, variables.anyCase("no_proxy"));
  }

  private static List<Path> authorities(HostEnvironment variables, List<String> named, Path root) {
    List<Path> files = new ArrayList<>();
    Stream.concat(AUTHORITY_VARIABLES.stream().map(variables::get), named.stream())
        .filter(value -> !value.isBlank())
        .forEach(value -> files.add(Path.of(value)));
    for (String bundle : SYSTEM_BUNDLES) {
      files.add(root.resolve(bundle.substring(1)));
    }
    return files.stream()
        .filter(Files::isReadable)
        .map(HostNetworkSettings::real)
        .distinct()
        .toList();
  }

  private static Path real(Path file) {
    try {
      return file.toRealPath();
    } catch (IOException _) {
      return file;
    }
  }
}
