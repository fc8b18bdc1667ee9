package dev.microsandbox.agent;

import dev.microsandbox.model.Language;
import java.util.List;
import java.util.Map;

/// What a sandbox is told about itself: at its start, and again when it is claimed from a pool.
///
/// What is empty leaves as it is what was said before.
///
/// @param caBundle PEM of authorities to add to the system's; empty for none
/// @param prestart languages whose default context's interpreter is started now
/// @param renew languages whose default context's interpreter is started anew, where no cell has
///   used it: for variables that act at an interpreter's start
public record SandboxConfiguration(
    String hostname,
    Map<String, String> environment,
    boolean egress,
    Map<String, List<String>> hosts,
    byte[] caBundle,
    List<SmallFile> files,
    List<Language> prestart,
    List<Language> renew) {

  public SandboxConfiguration {
    environment = Map.copyOf(environment);
    hosts = Map.copyOf(hosts);
    files = List.copyOf(files);
    prestart = List.copyOf(prestart);
    renew = List.copyOf(renew);
  }

  /// A file for the configuration of tools inside.
  ///
  /// @param owner user name in the sandbox
  public record SmallFile(String path, byte[] content, int permissions, String owner) {}
}
