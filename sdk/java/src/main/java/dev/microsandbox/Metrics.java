package dev.microsandbox;

import tools.jackson.databind.JsonNode;

/// What a sandbox uses.
///
/// @param cpuPercent of one CPU, since the last question
/// @param diskBytes of its writable layer
public record Metrics(
    boolean running, double cpuPercent, long memoryBytes, int processes, long diskBytes) {
  static Metrics of(JsonNode node) {
    return new Metrics(
        node.path("running").asBoolean(false),
        node.path("cpu_percent").asDouble(0),
        node.path("memory_bytes").asLong(0),
        node.path("processes").asInt(0),
        node.path("disk_bytes").asLong(0));
  }
}
