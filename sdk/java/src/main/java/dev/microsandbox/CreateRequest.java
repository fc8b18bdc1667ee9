package dev.microsandbox;

import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// What a new sandbox is given. Null leaves a thing to the server.
///
/// @param memoryMib in MiB
/// @param diskMib in MiB
/// @param network `public` or `none`
/// @param ephemeral removed when it is stopped
public record CreateRequest(
    @Nullable String name,
    @Nullable String namespace,
    @Nullable String image,
    @Nullable Integer memoryMib,
    @Nullable Double cpus,
    @Nullable Integer processes,
    @Nullable Integer diskMib,
    Map<String, String> environment,
    Map<String, String> labels,
    @Nullable String network,
    @Nullable Duration timeToLive,
    @Nullable Duration idleTimeout,
    boolean ephemeral) {

  /// An ephemeral sandbox of an image, everything else left to the server.
  public static CreateRequest ofImage(String image) {
    return new CreateRequest(
        null, null, image, null, null, null, null, Map.of(), Map.of(), null, null, null, true);
  }

  ObjectNode toJson() {
    ObjectNode node = Json.object();
    node.put("name", name);
    node.put("namespace", namespace);
    node.put("image", image);
    node.put("memory", memoryMib);
    node.put("cpus", cpus);
    node.put("processes", processes);
    node.put("disk", diskMib);
    Json.putTexts(node, "env", environment);
    Json.putTexts(node, "labels", labels);
    node.put("network", network);
    node.put("time_to_live", seconds(timeToLive));
    node.put("idle_timeout", seconds(idleTimeout));
    node.put("ephemeral", ephemeral);
    return node;
  }

  static @Nullable Double seconds(@Nullable Duration duration) {
    return duration == null ? null : Double.valueOf(duration.toNanos() / 1e9);
  }
}
