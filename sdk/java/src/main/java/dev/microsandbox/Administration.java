package dev.microsandbox;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What the administrator of a server does: who may open its unix socket. By TCP these calls are
/// `forbidden`. The `msb` command is made of it.
public final class Administration {
  private final Connection connection;

  Administration(Connection connection) {
    this.connection = connection;
  }

  /// Makes an API key; its secret is in this answer only.
  ///
  /// @param name for people; `key` where null
  /// @param owner the project whose sandboxes the key sees; `default` where null
  public KeyInfo createKey(@Nullable String name, @Nullable String owner) {
    Map<String, @Nullable Object> body = new LinkedHashMap<>();
    body.put("name", name);
    body.put("owner", owner);
    return KeyInfo.of(connection.json(Call.post("/v1/keys", body)));
  }

  /// All keys, the newest first, revoked ones too; never their secrets.
  public List<KeyInfo> keys() {
    return connection.json(Call.get("/v1/keys")).objects("keys", KeyInfo::of);
  }

  /// Makes a key useless from now on.
  ///
  /// @throws SandboxException `key_not_found`
  public void revokeKey(String id) {
    connection.bytes(Call.delete("/v1/keys/" + Call.escape(id)));
  }

  /// The sandboxes that are kept ready: of every kind that is configured or was asked for lately.
  public List<PoolInfo> pools() {
    return connection.json(Call.get("/v1/pools")).objects("pools", PoolInfo::of);
  }

  /// Sets how many of a kind are kept ready, beyond the server's end.
  ///
  /// @throws SandboxException `image_not_found`, `invalid_limits`, `invalid_request`
  public PoolInfo setPool(PoolSize size) {
    return PoolInfo.of(connection.json(Call.put("/v1/pools", size.body())));
  }

  /// What the server found out about its host by trying.
  public Doctor doctor() {
    return Doctor.of(connection.json(Call.get("/v1/doctor")));
  }

  /// The server's own figures as Prometheus text.
  public String serverMetrics() {
    return new String(connection.bytes(Call.get("/metrics")), StandardCharsets.UTF_8);
  }

  /// Ends all sandboxes' processes and the server.
  public void shutdown() {
    shutdown(false);
  }

  /// Ends the server.
  ///
  /// @param keepSandboxes whether sandboxes go on, for the next server to take over
  public void shutdown(boolean keepSandboxes) {
    connection.bytes(Call.post("/v1/shutdown", Map.of("keep_sandboxes", keepSandboxes)));
  }
}
