package dev.microsandbox.agent;

import dev.microsandbox.model.Language;
import java.util.List;
import java.util.Map;

/// What a sandbox is told about itself: at its start, and again when it is claimed from a pool.
///
/// @param caBundle PEM of authorities to add to the system's; empty for none
public record SandboxConfiguration(
    String hostname,
    Map<String, String> environment,
    boolean egress,
    Map<String, List<String>> hosts,
    byte[] caBundle,
    List<SmallFile> files,
    List<Language> prestart) {

  public SandboxConfiguration {
    environment = Map.copyOf(environment);
    hosts = Map.copyOf(hosts);
    files = List.copyOf(files);
    prestart = List.copyOf(prestart);
  }

  /// A file for the configuration of tools inside.
  ///
  /// @param owner user name in the sandbox
  public record SmallFile(String path, byte[] content, int permissions, String owner) {}
}
