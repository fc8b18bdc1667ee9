package dev.microsandbox;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What the server knows of a sandbox.
///
/// @param state `starting`, `running`, `stopping`, `stopped` or `deleting`
/// @param isolation `container`, `gvisor` or `microvm`
/// @param languages that its image has interpreters for, the default one first
/// @param memory limit in MiB
/// @param cpus CPUs; fractions are allowed
/// @param processes limit of processes and threads
/// @param disk limit in MiB
/// @param network `public` or `none`
/// @param timeToLive from its creation to its end, whatever happens; null for no limit
/// @param idleTimeout it is stopped when unused for so long; zero for never
/// @param ephemeral whether it is removed when it is stopped
/// @param endReason why it does not run; null while it does
public record SandboxInfo(
    String id,
    String name,
    String namespace,
    String state,
    String image,
    String isolation,
    List<String> languages,
    long memory,
    double cpus,
    int processes,
    long disk,
    Map<String, String> labels,
    String network,
    @Nullable Duration timeToLive,
    Duration idleTimeout,
    boolean ephemeral,
    Instant createdAt,
    @Nullable Instant startedAt,
    @Nullable Instant stoppedAt,
    @Nullable Instant expiresAt,
    @Nullable String endReason) {

  static SandboxInfo of(JsonObject sandbox) {
    return new SandboxInfo(
        sandbox.text("id"),
        sandbox.text("name"),
        sandbox.text("namespace"),
        sandbox.text("state"),
        sandbox.text("image"),
        sandbox.text("isolation"),
        sandbox.texts("languages"),
        sandbox.whole("memory"),
        sandbox.decimal("cpus"),
        sandbox.integer("processes"),
        sandbox.whole("disk"),
        sandbox.textMap("labels"),
        sandbox.text("network"),
        sandbox.durationOrNull("time_to_live"),
        sandbox.duration("idle_timeout"),
        sandbox.truth("ephemeral"),
        sandbox.instant("created_at"),
        sandbox.instantOrNull("started_at"),
        sandbox.instantOrNull("stopped_at"),
        sandbox.instantOrNull("expires_at"),
        sandbox.textOrNull("end_reason"));
  }
}
