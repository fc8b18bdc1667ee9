package dev.microsandbox;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// What a server says of itself.
///
/// @param pid of its process, on its own host
/// @param isolation kinds that work there, the best first
public record ServerInfo(
    String version,
    long pid,
    boolean accepting,
    @Nullable Instant startedAt,
    boolean keysRequired,
    List<String> isolation,
    int running,
    int stored,
    int maximumSandboxes) {
  static ServerInfo of(JsonNode node) {
    return new ServerInfo(
        Json.text(node, "version"),
        node.path("pid").asLong(0),
        node.path("accepting").asBoolean(false),
        Json.instantOrNull(node, "started_at"),
        node.path("keys_required").asBoolean(true),
        Json.texts(node, "isolation"),
        node.path("running").asInt(0),
        node.path("stored").asInt(0),
        node.path("maximum_sandboxes").asInt(0));
  }
}
