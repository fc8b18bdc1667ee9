package dev.microsandbox.cli;

import dev.microsandbox.SandboxClient;
import dev.microsandbox.SandboxException;
import dev.microsandbox.ServerAddress;
import java.io.PrintStream;
import java.util.Map;

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

  LocalServer localServer() {
    return new LocalServer(environment, err);
  }

  /// A client of the configured server, or of the local one. Nothing is started.
  SandboxClient connect() {
    return SandboxClient.of(address());
  }

  /// The same, but where nobody named a server and none answers, the local one is started and that
  /// is said once.
  SandboxClient connectOrStart() {
    SandboxClient client = connect();
    if (address().named()) {
      return client;
    }
    try {
      client.info();
      return client;
    } catch (SandboxException e) {
      client.close();
      if (!e.code().equals("server_unreachable")) {
        throw e;
      }
    }
    err.println("msb: no server answers, starting the local one (msb server stop ends it)");
    localServer().start(LocalServer.Options.DEFAULT);
    return connect();
  }

  private ServerAddress address() {
    return ServerAddress.fromEnvironment(environment);
  }
}
