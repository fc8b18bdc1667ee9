package dev.microsandbox.egress;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Where the host's pip looks for packages: its environment, else its user's file, else the
/// system's.
///
/// @param authorities a PEM file; empty for none
record PipSettings(String index, String extraIndexes, String trustedHosts, String authorities) {

  static PipSettings read(HostEnvironment variables, Path root, Path home) {
    List<ToolFile> files = new ArrayList<>();
    String named = variables.get("PIP_CONFIG_FILE");
    if (!named.isBlank()) {
      files.add(ToolFile.read(Path.of(named)));
    }
    for (String file : List.of(".config/pip/pip.conf", ".pip/pip.conf")) {
      files.add(ToolFile.read(home.resolve(file)));
    }
    for (String file : List.of("etc/xdg/pip/pip.conf", "etc/pip.conf")) {
      files.add(ToolFile.read(root.resolve(file)));
    }
    return new PipSettings(
        first(variables.get("PIP_INDEX_URL"), files, "index-url"),
        first(variables.get("PIP_EXTRA_INDEX_URL"), files, "extra-index-url"),
        first(variables.get("PIP_TRUSTED_HOST"), files, "trusted-host"),
        first(variables.get("PIP_CERT"), files, "cert"));
  }

  private static String first(String variable, List<ToolFile> files, String key) {
    if (!variable.isBlank()) {
      return variable;
    }
    for (ToolFile file : files) {
      for (String section : List.of("install.", "global.")) {
        if (!file.get(section + key).isBlank()) {
          return file.get(section + key);
        }
      }
    }
    return "";
  }

  void addTo(MirrorSettings mirrors) {
    mirrors.index(index).ifPresent(url -> mirrors.variable("PIP_INDEX_URL", url));
    for (String extra : words(extraIndexes)) {
      Optional<String> url = mirrors.index(extra);
      url.ifPresent(passed -> mirrors.variable("PIP_EXTRA_INDEX_URL", passed));
    }
    for (String host : words(trustedHosts)) {
      if (!MirrorSettings.isLoopback(host)) {
        mirrors.variable("PIP_TRUSTED_HOST", host);
      }
    }
  }

  private static List<String> words(String text) {
    return text.isBlank() ? List.of() : List.of(text.strip().split("\\s+"));
  }
}
