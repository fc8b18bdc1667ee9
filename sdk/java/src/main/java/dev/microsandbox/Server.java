package dev.microsandbox;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A server as its users see it: their sandboxes, its images, itself. Nothing is sent before a
/// method is called.
public final class Server {
  private final Connection connection;

  private Server(Connection connection) {
    this.connection = connection;
  }

  /// The server of the environment (`MSB_SERVER_URL`, `MSB_API_KEY`), else the local one, which is
  /// started where none answers.
  public static Server of() {
    return new Server(Connection.to(null, null));
  }

  /// The server at `http://host:port`, `https://host` or `unix:/path`.
  public static Server of(String serverUrl) {
    return new Server(Connection.to(serverUrl, null));
  }

  /// The server at an address.
  ///
  /// @param apiKey the key to send
  public static Server of(String serverUrl, String apiKey) {
    return new Server(Connection.to(serverUrl, apiKey));
  }

  /// The server at an address.
  public static Server of(ServerAddress address) {
    return new Server(new Connection(address));
  }

  /// A server reached by a transport of the caller's.
  ///
  /// @param where its address, for messages
  public static Server of(Transport transport, String where) {
    return new Server(new Connection(transport, where));
  }

  /// The caller's sandboxes of all namespaces, the oldest first.
  public List<SandboxInfo> sandboxes() {
    return sandboxes(null, Map.of());
  }

  /// The caller's sandboxes, the oldest first.
  ///
  /// @param namespace only of this one; of all where null
  /// @param labels that a sandbox must have, all of them
  public List<SandboxInfo> sandboxes(@Nullable String namespace, Map<String, String> labels) {
    Query query = new Query().add("namespace", namespace);
    labels.forEach((name, value) -> query.add("label", name + "=" + value));
    return connection.json(Call.get("/v1/sandboxes" + query)).objects("sandboxes", SandboxInfo::of);
  }

  /// The images that sandboxes can be made of.
  public List<ImageInfo> images() {
    return connection.json(Call.get("/v1/images")).objects("images", ImageInfo::of);
  }

  /// What it says of itself.
  public ServerInfo info() {
    return ServerInfo.of(connection.json(Call.get("/v1/info")));
  }

  /// What only its administrator may do.
  public Administration administration() {
    return new Administration(connection);
  }

  Connection connection() {
    return connection;
  }
}
