package dev.microsandbox;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// An API key.
///
/// @param key the secret; null everywhere but in the answer that made it
public record KeyInfo(
    @Nullable String key,
    String id,
    String name,
    String owner,
    Instant createdAt,
    @Nullable Instant lastUsedAt,
    @Nullable Instant revokedAt) {
  static KeyInfo of(JsonObject node) {
    return new KeyInfo(
        node.textOrNull("key"),
        node.text("id"),
        node.text("name"),
        node.text("owner"),
        node.instant("created_at"),
        node.instantOrNull("last_used_at"),
        node.instantOrNull("revoked_at"));
  }

  /// Everything but the secret.
  @Override
  public String toString() {
    return "KeyInfo[id=" + id + ", name=" + name + ", owner=" + owner + "]";
  }
}
