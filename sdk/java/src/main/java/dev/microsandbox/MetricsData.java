package dev.microsandbox;

/// What a sandbox uses, by its host's count.
///
/// @param cpuPercent of one CPU, since the last question
/// @param diskBytes of its writable layer
public record MetricsData(
    String id,
    String namespace,
    String name,
    boolean running,
    double cpuPercent,
    long memoryBytes,
    int processes,
    long diskBytes) {
  static MetricsData of(JsonObject metrics) {
    return new MetricsData(
        metrics.text("id"),
        metrics.text("namespace"),
        metrics.text("name"),
        metrics.truth("running"),
        metrics.decimal("cpu_percent"),
        metrics.whole("memory_bytes"),
        metrics.integer("processes"),
        metrics.whole("disk_bytes"));
  }
}
