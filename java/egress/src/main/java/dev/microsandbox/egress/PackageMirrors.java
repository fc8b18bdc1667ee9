package dev.microsandbox.egress;

import java.util.Map;
import java.util.Set;

/// The package indexes that the host's own tools are set to.
///
/// @param environment what tells them to the tools in a sandbox; without credentials
/// @param endpoints where they are: allowed to sandboxes by exact name and port, even at a private
///   address
/// @param names mirrors on the host's own loopback, under names that sandboxes can reach them by
public record PackageMirrors(
    Map<String, String> environment, Set<Endpoint> endpoints, Map<String, Endpoint> names) {
  public static final PackageMirrors NONE = new PackageMirrors(Map.of(), Set.of(), Map.of());

  public PackageMirrors {
    environment = Map.copyOf(environment);
    endpoints = Set.copyOf(endpoints);
    names = Map.copyOf(names);
  }
}
