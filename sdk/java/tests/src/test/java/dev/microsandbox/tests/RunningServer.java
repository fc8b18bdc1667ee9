package dev.microsandbox.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/// A server of the tests' own: a home of its own, a free port, this machine's images. Started by
/// the `msb` of this checkout.
final class RunningServer implements AutoCloseable {
  private static final Path IMAGES =
      Path.of(System.getenv().getOrDefault("MICROSANDBOX_HOME", "/var/lib/microsandbox"), "images");

  private final Path home;
  private final int port;

  private RunningServer(Path home, int port) {
    this.home = home;
    this.port = port;
  }

  static RunningServer start() throws Exception {
    Path home = Files.createTempDirectory("msb");
    Files.createSymbolicLink(home.resolve("images"), IMAGES);
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    RunningServer server = new RunningServer(home, port);
    try {
      String socket = "--set=socket=" + server.socket();
      server.msb("server", "start", "--port", Integer.toString(port), "--dev", socket);
    } catch (Exception | AssertionError e) {
      remove(home);
      throw e;
    }
    return server;
  }

  /// By TCP, without a key.
  String url() {
    return "http://127.0.0.1:" + port;
  }

  /// By its unix socket.
  String unixUrl() {
    return "unix:" + socket();
  }

  private Path socket() {
    return home.resolve("s");
  }

  /// Runs `msb` against it.
  String msb(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(Checkout.ROOT.resolve("msb").toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder program = new ProcessBuilder(command);
    program.environment().put("MSB_SERVER_URL", unixUrl());
    program.environment().put("MICROSANDBOX_HOME", home.toString());
    program.environment().put("MSB_NO_BUILD", "1");
    return Checkout.run(program);
  }

  /// Ends it and removes its home. The tests' sandboxes were ephemeral, so it must leave none.
  @Override
  public void close() throws Exception {
    msb("server", "stop");
    try (Stream<Path> left = Files.list(home.resolve("sandboxes"))) {
      assertThat(left).as("sandboxes left by a stopped server").isEmpty();
    } finally {
      remove(home);
    }
  }

  static void remove(Path folder) throws Exception {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
