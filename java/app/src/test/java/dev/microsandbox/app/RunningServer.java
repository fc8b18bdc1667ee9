package dev.microsandbox.app;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The packaged server as a process of its own, in a home of its own, with this machine's images.
final class RunningServer implements AutoCloseable {
  private static final Path LIBRARIES = Path.of("target", "lib").toAbsolutePath();
  private static final Path AGENT =
      Path.of("..", "..", "agent", "target", "release", "agent").toAbsolutePath().normalize();
  private static final Path IMAGES =
      Path.of(System.getenv().getOrDefault("MICROSANDBOX_HOME", "/var/lib/microsandbox"), "images");

  final Path home;
  final int port;
  final Process process;
  final Path output;
  private final HttpClient client = HttpClient.newHttpClient();

  private RunningServer(Path home, int port, Process process, Path output) {
    this.home = home;
    this.port = port;
    this.process = process;
    this.output = output;
  }

  static Path newHome() throws IOException {
    Path home = Files.createTempDirectory("msb");
    Files.createSymbolicLink(home.resolve("images"), IMAGES);
    return home;
  }

  static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  /// Starts it and waits until it is ready.
  static RunningServer start(Path home, int port, String... more) throws Exception {
    RunningServer server = launch(home, port, more);
    long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (!server.said().contains(" listens on ")) {
      if (!server.process.isAlive() || System.nanoTime() > deadline) {
        throw new AssertionError("the server did not start: " + server.said());
      }
      Thread.sleep(20);
    }
    return server;
  }

  /// Starts it, whatever becomes of it.
  static RunningServer launch(Path home, int port, String... more) throws IOException {
    Path output = Files.createTempFile("msb", ".out");
    List<String> command =
        new ArrayList<>(
            List.of(
                // Programs that run tests in the background have SIGINT ignored in what they start.
                "env",
                "--default-signal=INT",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                LIBRARIES + "/*",
                "dev.microsandbox.app.Main",
                "--home=" + home,
                "--port=" + port,
                "--socket=" + home.resolve("s"),
                "--agent=" + AGENT,
                "--id-range-start=" + 0x4000_0000,
                "--id-ranges=64",
                "--log=file",
                "--pool=off",
                "--keep-sandboxes=false",
                "--dev"));
    command.addAll(List.of(more));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    return new RunningServer(home, port, process, output);
  }

  String said() throws IOException {
    return Files.readString(output);
  }

  String logged() throws IOException {
    return Files.readString(home.resolve("server.log"));
  }

  HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path));
  }

  JsonNode post(String path, String json) throws Exception {
    HttpResponse<byte[]> response =
        client.send(
            request(path)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(json))
                .build(),
            BodyHandlers.ofByteArray());
    return JsonMapper.shared().readTree(response.body());
  }

  JsonNode get(String path) throws Exception {
    return JsonMapper.shared()
        .readTree(client.send(request(path).build(), BodyHandlers.ofByteArray()).body());
  }

  /// A cell in the sandbox `box`.
  JsonNode run(String code) throws Exception {
    return post(
        "/v1/sandboxes/box/runs",
        JsonMapper.shared().writeValueAsString(java.util.Map.of("code", code)));
  }

  String text(String path, String json, String accept) throws Exception {
    return client
        .send(
            request(path)
                .header("Content-Type", "application/json")
                .header("Accept", accept)
                .POST(BodyPublishers.ofString(json))
                .build(),
            BodyHandlers.ofString())
        .body();
  }

  /// Ends it as by kill -9.
  void kill() throws InterruptedException {
    process.destroyForcibly();
    if (!process.waitFor(40, TimeUnit.SECONDS)) {
      throw new AssertionError("the server did not die");
    }
  }

  /// Sends a signal by its name.
  void signal(String name) throws Exception {
    Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start();
    if (kill.waitFor() != 0 || !process.waitFor(40, TimeUnit.SECONDS)) {
      throw new AssertionError("the server did not end by SIG" + name);
    }
  }

  /// Ends it as a service manager does; gives its exit code.
  int terminate() throws InterruptedException {
    process.destroy();
    if (!process.waitFor(40, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("the server did not end");
    }
    return process.exitValue();
  }

  @Override
  public void close() throws Exception {
    client.shutdownNow();
    if (process.isAlive()) {
      terminate();
    }
    Files.delete(output);
  }

  /// Removes a home whose server has ended.
  static void remove(Path home) throws IOException {
    try (var files = Files.walk(home)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
