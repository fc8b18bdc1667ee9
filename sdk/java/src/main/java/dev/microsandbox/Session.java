package dev.microsandbox;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What a sandbox object shares with its parts: the server, and which sandbox is meant.
final class Session {
  private static final String DEFAULT_NAMESPACE = "default";

  private final Connection connection;
  private volatile String name;
  private volatile String namespace;
  private volatile @Nullable String id;
  private volatile boolean started;

  Session(Connection connection, String name, @Nullable String namespace) {
    this.connection = connection;
    this.name = name;
    this.namespace = namespace == null ? DEFAULT_NAMESPACE : namespace;
  }

  String name() {
    return name;
  }

  String namespace() {
    return namespace;
  }

  boolean isStarted() {
    return started;
  }

  /// Whether this is a sandbox of the server's, running or not.
  boolean isKnown() {
    return id != null;
  }

  /// From now on the sandbox is meant that the server says this of.
  SandboxInfo adopt(JsonObject sandbox) {
    SandboxInfo info = SandboxInfo.of(sandbox);
    name = info.name();
    namespace = info.namespace();
    id = info.id();
    started = info.state().equals("running");
    return info;
  }

  /// It does not run, or is no more.
  void ended(boolean gone) {
    started = false;
    if (gone) {
      id = null;
    }
  }

  /// Asks, whether or not the sandbox is known.
  JsonObject ask(Call call) {
    return connection.json(call);
  }

  JsonObject json(Call call) {
    requireKnown();
    return connection.json(call);
  }

  byte[] bytes(Call call) {
    requireKnown();
    return connection.bytes(call);
  }

  long copy(Call call, java.io.OutputStream to) throws java.io.IOException {
    requireKnown();
    return connection.copy(call, to);
  }

  EventReader events(Call call) {
    requireKnown();
    return connection.events(call);
  }

  Call get(String rest) {
    return Call.get(path(rest, new Query()));
  }

  Call post(String rest) {
    return post(rest, Map.of());
  }

  Call post(String rest, Map<String, ? extends @Nullable Object> body) {
    return Call.post(path(rest, new Query()), body);
  }

  /// @param query without the namespace
  String path(String rest, Query query) {
    String known = id;
    if (known != null) {
      return "/v1/sandboxes/" + known + rest + query;
    }
    if (!namespace.equals(DEFAULT_NAMESPACE)) {
      query.add("namespace", namespace);
    }
    return "/v1/sandboxes/" + Call.escape(name) + rest + query;
  }

  private void requireKnown() {
    if (id == null) {
      throw new SandboxException(
          ErrorCode.SANDBOX_NOT_RUNNING, "the sandbox is not started; call start() first");
    }
  }
}
