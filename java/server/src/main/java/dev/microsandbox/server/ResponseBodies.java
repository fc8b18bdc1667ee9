package dev.microsandbox.server;

import dev.microsandbox.engine.ApiKey;
import dev.microsandbox.engine.ImageInfo;
import dev.microsandbox.engine.NewApiKey;
import dev.microsandbox.engine.PoolKey;
import dev.microsandbox.engine.PoolStatus;
import dev.microsandbox.engine.SandboxInfo;
import dev.microsandbox.engine.SandboxMetrics;
import dev.microsandbox.model.Language;
import dev.microsandbox.model.SandboxSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What the server answers, as `spec/openapi.yaml` has it. Every component is always there.
final class ResponseBodies {
  private ResponseBodies() {}

  record Sandbox(
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
      @Nullable Double timeToLive,
      double idleTimeout,
      boolean ephemeral,
      Instant createdAt,
      @Nullable Instant startedAt,
      @Nullable Instant stoppedAt,
      @Nullable Instant expiresAt,
      @Nullable String endReason) {

    static Sandbox of(SandboxInfo info) {
      SandboxSpec spec = info.spec();
      return new Sandbox(
          info.id().value(),
          spec.name().value(),
          spec.namespace(),
          info.state().wireName(),
          spec.image().name(),
          info.isolation().wireName(),
          names(info.languages()),
          spec.limits().memory().mib(),
          spec.limits().cpus(),
          spec.limits().processes(),
          spec.limits().disk().mib(),
          spec.labels(),
          spec.network().wireName(),
          spec.timeToLive() == null ? null : seconds(spec.timeToLive()),
          seconds(spec.idleTimeout()),
          spec.ephemeral(),
          info.createdAt(),
          info.startedAt(),
          info.stoppedAt(),
          info.expiresAt(),
          info.endReason() == null ? null : info.endReason().wireName());
    }
  }

  record SandboxList(List<Sandbox> sandboxes) {}

  record Metrics(
      String id,
      String namespace,
      String name,
      boolean running,
      double cpuPercent,
      long memoryBytes,
      int processes,
      long diskBytes) {
    static Metrics of(SandboxMetrics m) {
      return new Metrics(
          m.id().value(),
          m.namespace(),
          m.name(),
          m.running(),
          m.cpuPercent(),
          m.memory().bytes(),
          m.processes(),
          m.disk().bytes());
    }
  }

  record LogList(List<LogEntry> entries) {}

  record LogEntry(long sequence, Instant time, String source, String level, String text) {
    static LogEntry of(dev.microsandbox.engine.LogEntry e) {
      return new LogEntry(e.sequence(), e.time(), e.source(), e.level(), e.text());
    }
  }

  record Context(String id, String language, @Nullable String interpreterVersion, boolean ready) {
    static Context of(dev.microsandbox.engine.ContextInfo c) {
      String version = c.interpreterVersion();
      return new Context(
          c.id(), c.language().wireName(), version.isEmpty() ? null : version, c.ready());
    }
  }

  record ContextList(List<Context> contexts) {}

  record Image(
      String name, String digest, long sizeBytes, List<String> languages, Instant createdAt) {
    static Image of(ImageInfo i) {
      return new Image(
          i.name().name(),
          i.digest().toString(),
          i.size().bytes(),
          names(i.languages()),
          i.createdAt());
    }
  }

  record ImageList(List<Image> images) {}

  record Key(
      String id,
      String name,
      String owner,
      Instant createdAt,
      @Nullable Instant lastUsedAt,
      @Nullable Instant revokedAt) {
    static Key of(ApiKey k) {
      return new Key(k.id(), k.name(), k.owner(), k.createdAt(), k.lastUsedAt(), k.revokedAt());
    }
  }

  record Pool(
      String image,
      String isolation,
      long memory,
      double cpus,
      int processes,
      long disk,
      int minimum,
      int maximum,
      boolean configured,
      int target,
      int ready,
      int starting,
      long hits,
      long waits,
      long misses,
      long refills,
      long failures,
      @Nullable PoolTrouble trouble) {
    static Pool of(PoolStatus pool) {
      PoolKey key = pool.key();
      PoolStatus.Trouble trouble = pool.trouble();
      return new Pool(
          key.image().name(),
          key.isolation().wireName(),
          key.limits().memory().mib(),
          key.limits().cpus(),
          key.limits().processes(),
          key.limits().disk().mib(),
          pool.minimum(),
          pool.maximum(),
          pool.configured(),
          pool.target(),
          pool.ready(),
          pool.starting(),
          pool.hits(),
          pool.waits(),
          pool.misses(),
          pool.refills(),
          pool.failures(),
          trouble == null
              ? null
              : new PoolTrouble(trouble.message(), trouble.since(), trouble.retryAt()));
    }
  }

  record PoolTrouble(String message, Instant since, @Nullable Instant retryAt) {}

  record PoolList(List<Pool> pools) {}

  record KeyList(List<Key> keys) {}

  record NewKey(String key, String id, String name, String owner, Instant createdAt) {
    static NewKey of(NewApiKey made) {
      ApiKey k = made.key();
      return new NewKey(made.secret(), k.id(), k.name(), k.owner(), k.createdAt());
    }

    /// Without the secret.
    @Override
    public String toString() {
      return "NewKey[" + id + "]";
    }
  }

  record Info(
      String version,
      long pid,
      boolean accepting,
      Instant startedAt,
      boolean keysRequired,
      List<String> isolation,
      Map<String, String> runtimes,
      int running,
      int stored,
      int maximumSandboxes) {}

  record Doctor(boolean usable, List<Finding> findings) {}

  record Finding(String subject, boolean works, String seen, String remedy) {}

  record Health(String message) {}

  record Error(ErrorBody error) {}

  record ErrorBody(String code, String message, Map<String, Object> details) {}

  static double seconds(Duration duration) {
    return duration.toNanos() / 1e9;
  }

  private static List<String> names(List<Language> languages) {
    return languages.stream().map(Language::wireName).toList();
  }
}
