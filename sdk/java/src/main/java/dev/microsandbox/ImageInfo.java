package dev.microsandbox;

import java.time.Instant;
import java.util.List;

/// An image that sandboxes can be made of.
public record ImageInfo(
    String name, String digest, long sizeBytes, List<String> languages, Instant createdAt) {
  static ImageInfo of(JsonObject node) {
    return new ImageInfo(
        node.text("name"),
        node.text("digest"),
        node.whole("size_bytes"),
        node.texts("languages"),
        node.instant("created_at"));
  }
}
