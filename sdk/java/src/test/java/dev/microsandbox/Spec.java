package dev.microsandbox;

import java.io.IOException;
import java.nio.file.Path;

/// Reads the contracts that several languages share.
final class Spec {
  private Spec() {}

  static JsonObject read(String file) throws IOException {
    return Json.read(java.nio.file.Files.readAllBytes(Path.of("..", "..", "spec", file)));
  }
}
