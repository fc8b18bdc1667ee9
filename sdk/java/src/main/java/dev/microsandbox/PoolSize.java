package dev.microsandbox;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// How many sandboxes of a kind are to be kept ready. What is null is as in a sandbox for which
/// nothing is said.
///
/// @param image `microsandbox/python`, or `python` for short
/// @param memory MiB
/// @param disk MiB
/// @param minimum kept whatever the demand is; 0 for none but on demand
/// @param maximum kept at most; the server's `pool-max` where null
public record PoolSize(
    @Nullable String image,
    @Nullable String isolation,
    @Nullable Integer memory,
    @Nullable Double cpus,
    @Nullable Integer processes,
    @Nullable Integer disk,
    int minimum,
    @Nullable Integer maximum) {

  /// Of an image in the default sizes.
  public static PoolSize of(String image, int minimum, int maximum) {
    return new PoolSize(image, null, null, null, null, null, minimum, maximum);
  }

  Map<String, @Nullable Object> body() {
    Map<String, @Nullable Object> body = new LinkedHashMap<>();
    body.put("image", image);
    body.put("isolation", isolation);
    body.put("memory", memory);
    body.put("cpus", cpus);
    body.put("processes", processes);
    body.put("disk", disk);
    body.put("minimum", minimum);
    body.put("maximum", maximum);
    return body;
  }
}
