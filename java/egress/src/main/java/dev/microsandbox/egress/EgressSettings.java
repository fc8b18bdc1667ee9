package dev.microsandbox.egress;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// How this server's sandboxes reach the outside.
///
/// @param names the operator's map, from names to what the host dials for them; it may point into
///   denied ranges
/// @param authorities PEM files of further certificate authorities that sandboxes shall trust
/// @param host what the host itself uses: mirrors, authorities, a proxy
public record EgressSettings(
    Map<String, Endpoint> names, List<Path> authorities, HostNetworkSettings host) {

  public EgressSettings {
    names = Map.copyOf(names);
    authorities = List.copyOf(authorities);
  }

  /// Nothing mapped or added; the host's own settings are read from its environment and files.
  public static EgressSettings ofHost() {
    return new EgressSettings(Map.of(), List.of(), HostNetworkSettings.read());
  }
}
