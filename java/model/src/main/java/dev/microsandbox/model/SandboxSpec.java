package dev.microsandbox.model;

import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What a caller asks for. Everything that is particular to one request, and what keys a pool.
///
/// @param owner whose it is: the key's project, `default` where there is none
/// @param namespace names are unique within (owner, namespace)
/// @param isolation null for the best that works on this host (`auto`)
/// @param timeToLive from creation to its end whatever happens; null for none
/// @param idleTimeout unused for so long it is stopped; zero for never
/// @param ephemeral removed when it is stopped
public record SandboxSpec(
    String owner,
    String namespace,
    SandboxName name,
    ImageReference image,
    @Nullable IsolationKind isolation,
    Limits limits,
    Map<String, String> environment,
    Map<String, String> labels,
    NetworkPolicy network,
    @Nullable Duration timeToLive,
    Duration idleTimeout,
    boolean ephemeral) {

  public static final String DEFAULT_OWNER = "default";
  public static final String DEFAULT_NAMESPACE = "default";
  public static final Duration DEFAULT_IDLE_TIMEOUT = Duration.ofHours(1);

  private static final int MAXIMUM_PAIRS = 256;
  private static final int MAXIMUM_TEXT = 32 * 1024;

  public SandboxSpec {
    SandboxName.check(owner, "owner");
    SandboxName.check(namespace, "namespace");
    environment = bounded(environment, "environment");
    labels = bounded(labels, "labels");
    if (idleTimeout.isNegative() || (timeToLive != null && !timeToLive.isPositive())) {
      throw new SandboxException(
          ErrorCode.INVALID_LIMITS, "idle_timeout and time_to_live cannot be negative");
    }
  }

  private static Map<String, String> bounded(Map<String, String> pairs, String field) {
    long size = 0;
    for (Map.Entry<String, String> pair : pairs.entrySet()) {
      String key = pair.getKey();
      if (key.isEmpty() || key.indexOf('=') >= 0 || key.indexOf('\0') >= 0) {
        throw invalid(field + ": a name is empty or holds '=' or NUL", field);
      }
      if (pair.getValue().indexOf('\0') >= 0) {
        throw invalid(field + ": a value holds NUL", field);
      }
      size += key.length() + pair.getValue().length();
    }
    if (pairs.size() > MAXIMUM_PAIRS || size > MAXIMUM_TEXT) {
      throw invalid(field + ": at most 256 entries and 32 KiB in all", field);
    }
    return Map.copyOf(pairs);
  }

  private static SandboxException invalid(String message, String field) {
    return new SandboxException(ErrorCode.INVALID_REQUEST, message, Map.of("field", field));
  }
}
