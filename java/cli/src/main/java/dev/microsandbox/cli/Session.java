package dev.microsandbox.cli;

import dev.microsandbox.ImageSandbox;
import dev.microsandbox.LocalServer;
import dev.microsandbox.SandboxBuilder;
import dev.microsandbox.Server;
import dev.microsandbox.ServerAddress;
import java.io.PrintStream;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What every command needs: where the server is, and where output goes.
final class Session {
  private final Map<String, String> environment;
  private final PrintStream out;
  private final PrintStream err;

  Session(Map<String, String> environment, PrintStream out, PrintStream err) {
    this.environment = environment;
    this.out = out;
    this.err = err;
  }

  PrintStream out() {
    return out;
  }

  PrintStream err() {
    return err;
  }

  Map<String, String> environment() {
    return environment;
  }

  ServerProcess localServer() {
    return new ServerProcess(environment, err);
  }

  /// The configured server, or the local one. Nothing is started.
  Server connect() {
    ServerAddress address = named();
    if (address == null) {
      address = LocalServer.find(key());
    }
    return Server.of(address == null ? ServerAddress.of(ServerAddress.DEFAULT_SOCKET) : address);
  }

  /// The same, but where nobody named a server and none answers, the local one is started and that
  /// is said once.
  Server connectOrStart() {
    ServerAddress address = named();
    return Server.of(
        address == null ? LocalServer.findOrStart(key(), this::startLocalServer) : address);
  }

  /// A sandbox that exists, of the configured server or the local one.
  ///
  /// @param namespace of its name; null for the default one
  ImageSandbox sandbox(String nameOrId, @Nullable String namespace) {
    SandboxBuilder<ImageSandbox> known = ImageSandbox.builder().server(connect());
    return (namespace == null ? known : known.namespace(namespace)).connect(nameOrId);
  }

  private void startLocalServer() {
    err.println("msb: no server answers, starting the local one (msb server stop ends it)");
    localServer().start(ServerProcess.Options.DEFAULT);
  }

  private @Nullable ServerAddress named() {
    String url = environment.getOrDefault("MSB_SERVER_URL", "");
    return url.isEmpty() ? null : ServerAddress.parse(url, key());
  }

  private @Nullable String key() {
    return environment.get("MSB_API_KEY");
  }
}
