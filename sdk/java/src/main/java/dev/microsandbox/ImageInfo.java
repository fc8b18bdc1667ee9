package dev.microsandbox;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// An image that sandboxes can be made of.
public record ImageInfo(
    String name,
    String digest,
    long sizeBytes,
    List<String> languages,
    @Nullable Instant createdAt) {
  static ImageInfo of(JsonNode node) {
    return new ImageInfo(
        Json.text(node, "name"),
        Json.text(node, "digest"),
        node.path("size_bytes").asLong(0),
        Json.texts(node, "languages"),
        Json.instantOrNull(node, "created_at"));
  }
}
