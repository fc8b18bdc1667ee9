package dev.microsandbox;

import java.time.Instant;
import java.util.List;
import java.util.Map;

/// What a server says of itself.
///
/// @param pid of its process, on its own host
/// @param isolation kinds that work there, the best first
/// @param runtimes program and version by kind of isolation
public record ServerInfo(
    String version,
    long pid,
    boolean accepting,
    Instant startedAt,
    boolean keysRequired,
    List<String> isolation,
    Map<String, String> runtimes,
    int running,
    int stored,
    int maximumSandboxes) {
  static ServerInfo of(JsonObject node) {
    return new ServerInfo(
        node.text("version"),
        node.whole("pid"),
        node.truth("accepting"),
        node.instant("started_at"),
        node.truth("keys_required", true),
        node.texts("isolation"),
        node.textMap("runtimes"),
        node.integer("running"),
        node.integer("stored"),
        node.integer("maximum_sandboxes"));
  }
}
