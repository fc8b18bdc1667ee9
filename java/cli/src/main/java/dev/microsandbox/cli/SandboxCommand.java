package dev.microsandbox.cli;

import dev.microsandbox.ImageSandbox;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// A command about sandboxes that exist.
abstract class SandboxCommand extends SessionCommand {
  @Option(names = "--namespace", description = "Of the names (default); an id needs none.")
  @Nullable String namespace;

  /// The one of this name or id.
  final ImageSandbox sandbox(String nameOrId) {
    return session.sandbox(nameOrId, namespace);
  }
}
