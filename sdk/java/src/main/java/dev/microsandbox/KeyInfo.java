package dev.microsandbox;

import java.time.Instant;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// An API key.
///
/// @param key the secret; null everywhere but in the answer that made it
public record KeyInfo(
    @Nullable String key,
    String id,
    String name,
    String owner,
    @Nullable Instant createdAt,
    @Nullable Instant lastUsedAt,
    @Nullable Instant revokedAt) {
  static KeyInfo of(JsonNode node) {
    return new KeyInfo(
        Json.textOrNull(node, "key"),
        Json.text(node, "id"),
        Json.text(node, "name"),
        Json.text(node, "owner"),
        Json.instantOrNull(node, "created_at"),
        Json.instantOrNull(node, "last_used_at"),
        Json.instantOrNull(node, "revoked_at"));
  }

  /// Everything but the secret.
  @Override
  public String toString() {
    return "KeyInfo[id=" + id + ", name=" + name + ", owner=" + owner + "]";
  }
}
