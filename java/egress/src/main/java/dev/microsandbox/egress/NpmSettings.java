package dev.microsandbox.egress;

import java.nio.file.Path;
import java.util.List;

/// Where the host's npm looks for packages: its environment, else its user's file, else the
/// system's. Registries of single scopes are not passed on.
///
/// @param authorities a PEM file; empty for none
record NpmSettings(String registry, String authorities) {

  static NpmSettings read(HostEnvironment variables, Path root, Path home) {
    List<ToolFile> files =
        List.of(
            ToolFile.read(home.resolve(".npmrc")),
            ToolFile.read(root.resolve("usr/local/etc/npmrc")),
            ToolFile.read(root.resolve("usr/etc/npmrc")),
            ToolFile.read(root.resolve("etc/npmrc")));
    return new NpmSettings(
        first(variables.anyCase("npm_config_registry"), files, "registry"),
        first(variables.anyCase("npm_config_cafile"), files, "cafile"));
  }

  private static String first(String variable, List<ToolFile> files, String key) {
    if (!variable.isBlank()) {
      return variable;
    }
    return files.stream()
        .map(file -> file.get(key))
        .filter(value -> !value.isBlank())
        .findFirst()
        .orElse("");
  }

  void addTo(MirrorSettings mirrors) {
    mirrors.index(registry).ifPresent(url -> mirrors.variable("NPM_CONFIG_REGISTRY", url));
  }
}
