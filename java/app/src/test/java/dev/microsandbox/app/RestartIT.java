package dev.microsandbox.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.net.http.HttpClient;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;

/// The packaged server ended in each way that there is, and started again on the same home.
@Timeout(180)
class RestartIT {
  private static final String TICKS =
      "{\"argv\":[\"sh\",\"-c\",\"i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.05; done\"]}";
  private static final Pattern TICK = Pattern.compile("tick (\\d+)\\\\n");

  private Path home;
  private RunningServer server;

  @BeforeEach
  void start() throws Exception {
    home = RunningServer.newHome();
    server = RunningServer.start(home, RunningServer.freePort(), "--keep-sandboxes=true");
    JsonNode made = server.post("/v1/sandboxes", "{\"name\":\"box\",\"memory\":256}");
    assertThat(made.path("state").asString("")).as(made.toString()).isEqualTo("running");
    server.run("x = 41");
  }

  /// By a server that ends what it finds.
  @AfterEach
  void stop() throws Exception {
    server.close();
    RunningServer.start(home, RunningServer.freePort()).close();
    assertThat(sandboxProcesses()).isEmpty();
    RunningServer.remove(home);
  }

  private Stream<Path> sandboxProcesses() throws Exception {
    String id = sandboxes().findAny().orElse("none");
    return Files.list(Path.of("/proc"))
        .filter(process -> process.getFileName().toString().matches("\\d+"))
        .filter(process ->
            // A zombie keeps the name of its removed group in the unified tree.
            read(process.resolve("cgroup"))
                .lines()
                .anyMatch(line -> line.contains(id) && !line.endsWith(" (deleted)")));
  }

  private Stream<String> sandboxes() throws Exception {
    return Files.list(home.resolve("sandboxes")).map(each -> each.getFileName().toString());
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (java.io.IOException _) {
      return ""; // the process has gone
    }
  }

  private void startAgain() throws Exception {
    server.close();
    server = RunningServer.start(home, RunningServer.freePort(), "--keep-sandboxes=true");
  }

  /// Begins a command that ticks, and leaves its stream open; gives its id.
  private String tick(HttpClient client) throws Exception {
    HttpResponse<java.io.InputStream> stream =
        client.send(
            server
                .request("/v1/sandboxes/box/commands")
                .header("Content-Type", "application/json")
                .header("Accept", "text/event-stream")
                .POST(BodyPublishers.ofString(TICKS))
                .build(),
            BodyHandlers.ofInputStream());
    readUntil(stream.body(), "tick 3\\n");
    return stream.headers().firstValue("Msb-Run-Id").orElseThrow();
  }

  private static String readUntil(java.io.InputStream in, String end) throws Exception {
    StringBuilder text = new StringBuilder();
    byte[] buffer = new byte[8192];
    while (text.indexOf(end) < 0) {
      int n = in.read(buffer);
      if (n < 0) {
        throw new AssertionError("ended before " + end + ": " + text);
      }
      text.append(new String(buffer, 0, n, StandardCharsets.UTF_8));
    }
    return text.toString();
  }

  /// Attaches from the beginning, as a client that was cut off; a run's first ticks are there, and
  /// some that were said later.
  private void assertTicksOn(HttpClient client, String run) throws Exception {
    HttpResponse<java.io.InputStream> stream =
        client.send(
            server
                .request("/v1/sandboxes/box/runs/" + run)
                .header("Accept", "text/event-stream")
                .build(),
            BodyHandlers.ofInputStream());
    assertThat(stream.statusCode()).isEqualTo(200);
    String text = readUntil(stream.body(), "tick 40\\n");
    assertThat(TICK.matcher(text).results().map(result -> result.group(1)).limit(4))
        .containsExactly("1", "2", "3", "4");
  }

  @Test
  void afterAKillAllGoesOnAndAClientComesBackToItsRun() throws Exception {
    String run;
    try (HttpClient client = HttpClient.newHttpClient()) {
      run = tick(client);
      server.kill();
      client.shutdownNow();
    }
    startAgain();
    try (HttpClient client = HttpClient.newHttpClient()) {
      assertTicksOn(client, run);
      client.shutdownNow();
    }
    assertThat(server.run("print(x + 1)").get("stdout").asString()).isEqualTo("42\n");
  }

  @Test
  void afterARestartByAServiceManagerAllGoesOn() throws Exception {
    CompletableFuture<JsonNode> waiting;
    String run;
    try (HttpClient client = HttpClient.newHttpClient()) {
      run = tick(client);
      RunningServer first = server;
      waiting =
          CompletableFuture.supplyAsync(() ->
              unchecked(
                  () -> first.run("import time; open('begun', 'w').close(); time.sleep(60)")));
      awaitFile();
      server.signal("TERM");
      client.shutdownNow();
    }
    assertThat(waiting.join().at("/error/code").asString()).isEqualTo("shutting_down");
    assertThat(server.logged()).endsWith("ended\n").doesNotContain("\tat ");
    startAgain();
    try (HttpClient client = HttpClient.newHttpClient()) {
      assertTicksOn(client, run);
      client.shutdownNow();
    }
    assertThat(server.get("/v1/sandboxes/box").get("state").asString()).isEqualTo("running");
  }

  /// Until the cell has made its file.
  private void awaitFile() throws Exception {
    String look = "{\"argv\":[\"test\",\"-e\",\"begun\"]}";
    while (server.post("/v1/sandboxes/box/commands", look).get("exit_code").asInt() != 0) {
      Thread.sleep(20);
    }
  }

  @Test
  void aRequestToEndKeepsSandboxesWhereItSaysSo() throws Exception {
    askToEnd("{\"keep_sandboxes\":true}");
    server.process.onExit().get(60, java.util.concurrent.TimeUnit.SECONDS);
    startAgain();
    assertThat(server.run("print(x + 1)").get("stdout").asString()).isEqualTo("42\n");
    askToEnd("{}");
    server.process.onExit().get(60, java.util.concurrent.TimeUnit.SECONDS);
    assertThat(sandboxProcesses()).isEmpty();
  }

  /// By the socket, whose users are administrators.
  private void askToEnd(String json) throws Exception {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(home.resolve("s")));
      String request =
          "POST /v1/shutdown HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
              + "Content-Length: "
              + json.length()
              + "\r\n\r\n"
              + json;
      channel.write(ByteBuffer.wrap(request.getBytes(StandardCharsets.US_ASCII)));
      ByteBuffer answer = ByteBuffer.allocate(4096);
      channel.read(answer);
      assertThat(new String(answer.array(), 0, answer.position(), StandardCharsets.US_ASCII))
          .startsWith("HTTP/1.1 202");
    }
  }

  @Test
  void atATerminalSandboxesEndWithTheirServer() throws Exception {
    server.signal("INT");
    assertThat(server.process.exitValue()).isEqualTo(130);
    assertThat(sandboxProcesses()).isEmpty();
    startAgain();
    JsonNode box = server.get("/v1/sandboxes/box");
    assertThat(box.get("state").asString()).isEqualTo("stopped");
    assertThat(box.get("end_reason").asString()).isEqualTo("server_stopped");
  }

  /// Something that may fail.
  private interface Attempt {
    JsonNode make() throws Exception;
  }

  private static JsonNode unchecked(Attempt attempt) {
    try {
      return attempt.make();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
