package dev.microsandbox;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// What the server knows of a sandbox.
///
/// @param state `starting`, `running`, `stopping`, `stopped` or `deleting`
/// @param memoryMib limit in MiB
/// @param diskMib limit in MiB
/// @param endReason why it does not run; null while it does
public record SandboxInfo(
    String id,
    String name,
    String namespace,
    String state,
    String image,
    String isolation,
    List<String> languages,
    long memoryMib,
    double cpus,
    int processes,
    long diskMib,
    Map<String, String> labels,
    String network,
    boolean ephemeral,
    @Nullable Instant createdAt,
    @Nullable Instant startedAt,
    @Nullable String endReason) {

  static SandboxInfo of(JsonNode node) {
    return new SandboxInfo(
        Json.text(node, "id"),
        Json.text(node, "name"),
        Json.text(node, "namespace"),
        Json.text(node, "state"),
        Json.text(node, "image"),
        Json.text(node, "isolation"),
        Json.texts(node, "languages"),
        node.path("memory").asLong(0),
        node.path("cpus").asDouble(0),
        node.path("processes").asInt(0),
        node.path("disk").asLong(0),
        Json.textMap(node, "labels"),
        Json.text(node, "network"),
        node.path("ephemeral").asBoolean(false),
        Json.instantOrNull(node, "created_at"),
        Json.instantOrNull(node, "started_at"),
        Json.textOrNull(node, "end_reason"));
  }
}
