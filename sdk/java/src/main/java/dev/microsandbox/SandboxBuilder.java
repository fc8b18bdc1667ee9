package dev.microsandbox;

import java.time.Duration;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// What a new sandbox is given, step by step. What is not set is left to the server.
///
/// @param <S> the kind of sandbox
public final class SandboxBuilder<S extends BaseSandbox> {
  private static final Duration START_LIMIT = Duration.ofSeconds(180);

  private final Function<SandboxBuilder<S>, S> constructor;
  private final Map<String, @Nullable Object> body = new LinkedHashMap<>();
  private final Map<String, String> env = new LinkedHashMap<>();
  private final Map<String, String> labels = new LinkedHashMap<>();
  private @Nullable String name;
  private @Nullable String namespace;
  private @Nullable String serverUrl;
  private @Nullable String apiKey;
  private @Nullable Server server;
  private Duration startTimeout = START_LIMIT;
  private boolean ephemeral = true;

  /// For kinds of sandbox of one's own.
  ///
  /// @param constructor that hands the builder to [BaseSandbox]
  public SandboxBuilder(Function<SandboxBuilder<S>, S> constructor) {
    this.constructor = constructor;
  }

  /// Unique in its namespace; made up where missing.
  public SandboxBuilder<S> name(String text) {
    this.name = text;
    return this;
  }

  /// The namespace of the name, `default` where missing.
  public SandboxBuilder<S> namespace(String text) {
    this.namespace = text;
    return this;
  }

  /// The image it is made of; the language's own where missing.
  public SandboxBuilder<S> image(String reference) {
    return set("image", reference);
  }

  /// `container`, `gvisor` or `microvm`; the strongest that the server's machine has where missing.
  public SandboxBuilder<S> isolation(String kind) {
    return set("isolation", kind);
  }

  /// Limit of memory in MiB.
  public SandboxBuilder<S> memory(int mebibytes) {
    return set("memory", mebibytes);
  }

  /// Limit of processing time in CPUs; fractions are allowed.
  public SandboxBuilder<S> cpus(double number) {
    return set("cpus", number);
  }

  /// Limit of processes and threads.
  public SandboxBuilder<S> processes(int number) {
    return set("processes", number);
  }

  /// Limit of its writable layer in MiB.
  public SandboxBuilder<S> disk(int mebibytes) {
    return set("disk", mebibytes);
  }

  /// Adds a variable to the environment of everything that runs in it.
  public SandboxBuilder<S> env(String variable, String value) {
    env.put(variable, value);
    return this;
  }

  /// Adds variables to the environment of everything that runs in it.
  public SandboxBuilder<S> env(Map<String, String> variables) {
    env.putAll(variables);
    return this;
  }

  /// Adds a label, for finding it again.
  public SandboxBuilder<S> label(String key, String value) {
    labels.put(key, value);
    return this;
  }

  /// Adds labels, for finding it again.
  public SandboxBuilder<S> labels(Map<String, String> more) {
    labels.putAll(more);
    return this;
  }

  /// What it may reach: `public` (the default) or `none`.
  public SandboxBuilder<S> network(String policy) {
    return set("network", policy);
  }

  /// From its creation to its end, whatever happens.
  public SandboxBuilder<S> timeToLive(Duration limit) {
    return set("time_to_live", Call.seconds(limit));
  }

  /// It is stopped when unused for so long; zero for never.
  public SandboxBuilder<S> idleTimeout(Duration limit) {
    return set("idle_timeout", Call.seconds(limit));
  }

  /// Whether it is removed when it is stopped, which is the default.
  public SandboxBuilder<S> ephemeral(boolean removed) {
    this.ephemeral = removed;
    return this;
  }

  /// How long to wait until it is usable; 180 seconds where missing.
  public SandboxBuilder<S> startTimeout(Duration limit) {
    this.startTimeout = limit;
    return this;
  }

  /// The server: `http://host:port`, `https://host` or `unix:/path`. Else `MSB_SERVER_URL`, else
  /// the local one, started if need be.
  public SandboxBuilder<S> serverUrl(String url) {
    this.serverUrl = url;
    return this;
  }

  /// The key to send; else `MSB_API_KEY`. The local socket needs none.
  public SandboxBuilder<S> apiKey(String key) {
    this.apiKey = key;
    return this;
  }

  /// The server, where the program has it already; instead of `serverUrl` and `apiKey`.
  public SandboxBuilder<S> server(Server known) {
    this.server = known;
    return this;
  }

  /// Creates and starts the sandbox, and returns when it is usable.
  ///
  /// @throws SandboxException `name_taken`, `invalid_limits`, `image_not_found` and others
  public S create() {
    S made = build();
    made.start();
    return made;
  }

  /// The same on a thread of its own; cancelling ends the waiting.
  public CompletableFuture<S> createAsync() {
    S made = build();
    return Async.call(() -> {
      made.start();
      return made;
    });
  }

  /// Finds a sandbox that exists; of the settings only those of the server and the namespace count.
  ///
  /// @param nameOrId its name in the namespace, or its id
  /// @throws SandboxException `sandbox_not_found`
  public S connect(String nameOrId) {
    S found = name(nameOrId).build();
    found.adopt();
    return found;
  }

  /// A sandbox that is not started yet.
  public S build() {
    return constructor.apply(this);
  }

  Session session() {
    Connection connection = server != null ? server.connection() : Connection.to(serverUrl, apiKey);
    String known =
        name != null
            ? name
            : "sandbox-" + HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt());
    return new Session(connection, known, namespace);
  }

  Duration startTimeout() {
    return startTimeout;
  }

  boolean ephemeral() {
    return ephemeral;
  }

  /// @param defaultImage for where none is named
  Map<String, @Nullable Object> toJson(Session session, String defaultImage) {
    Map<String, @Nullable Object> all = new LinkedHashMap<>();
    all.put("name", session.name());
    all.put("namespace", session.namespace());
    all.put("image", defaultImage);
    all.putAll(body);
    all.put("env", new LinkedHashMap<>(env));
    all.put("labels", new LinkedHashMap<>(labels));
    all.put("ephemeral", ephemeral);
    return all;
  }

  private SandboxBuilder<S> set(String field, @Nullable Object value) {
    body.put(field, value);
    return this;
  }
}
