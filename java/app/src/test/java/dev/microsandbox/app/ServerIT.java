package dev.microsandbox.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// The packaged server with real containers. Needs root, the agent and the images.
class ServerIT {
  private Path home;
  private RunningServer server;

  @BeforeEach
  void start() throws Exception {
    home = RunningServer.newHome();
    server = RunningServer.start(home, RunningServer.freePort());
  }

  @AfterEach
  void stop() throws Exception {
    server.close();
    RunningServer.remove(home);
  }

  private void box() throws Exception {
    JsonNode made = server.post("/v1/sandboxes", "{\"name\":\"box\",\"memory\":256}");
    assertThat(made.path("state").asString("")).as(made.toString()).isEqualTo("running");
  }

  @Test
  void theGuidesCellsRunAndKeepTheirState() throws Exception {
    box();
    assertThat(server.run("name = 'Python'").get("outcome").asString()).isEqualTo("ok");
    assertThat(server.run("print(f'Hello from {name}!')").get("stdout").asString())
        .isEqualTo("Hello from Python!\n");
    JsonNode wrong = server.run("print(undefined_name)");
    assertThat(wrong.get("has_error").asBoolean()).isTrue();
    assertThat(wrong.at("/error/name").asString()).isEqualTo("NameError");
    JsonNode command =
        server.post("/v1/sandboxes/box/commands", "{\"argv\":[\"sh\",\"-c\",\"echo hi; exit 3\"]}");
    assertThat(command.get("stdout").asString()).isEqualTo("hi\n");
    assertThat(command.get("exit_code").asInt()).isEqualTo(3);
  }

  @Test
  void anOldClientsWordsWork() throws Exception {
    String config = "{\"image\":\"microsandbox/node\",\"memory\":512,\"cpus\":1}";
    server.post(
        "/api/v1/rpc",
        "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"method\":\"sandbox.start\",\"params\":{\"sandbox\":\"old\","
            + "\"namespace\":\"default\",\"config\":"
            + config
            + "}}");
    JsonNode answer =
        server.post(
            "/api/v1/rpc",
            "{\"jsonrpc\":\"2.0\",\"id\":\"2\",\"method\":\"sandbox.repl.run\",\"params\":{\"sandbox\":\"old\","
                + "\"language\":\"nodejs\",\"code\":\"console.log('Hello from Node.js!')\"}}");
    assertThat(answer.at("/result/output/0").toString())
        .isEqualTo("{\"stream\":\"stdout\",\"text\":\"Hello from Node.js!\"}");
    assertThat(answer.at("/result/status").asString()).isEqualTo("success");
  }

  @Test
  void outputComesWhileTheCellRuns() throws Exception {
    box();
    try (SocketChannel channel = connect()) {
      send(
          channel,
          "text/event-stream",
          "{\"code\":\"import time\\nprint('first', flush=True)\\ntime.sleep(30)\"}");
      assertThat(readUntil(channel, "first", Duration.ofSeconds(10)))
          .contains("event: started")
          .doesNotContain("event: finished");
    }
  }

  @Test
  void aClientThatVanishesInterruptsItsCellAndStateIsKept() throws Exception {
    box();
    server.run("x = 'kept'");
    try (SocketChannel channel = connect()) {
      send(
          channel,
          "application/json",
          "{\"code\":\"import time\\ntry:\\n  time.sleep(60)\\nexcept KeyboardInterrupt:\\n  x += ', interrupted'\"}");
      Thread.sleep(1000);
    }
    long start = System.nanoTime();
    JsonNode next = server.run("x");
    assertThat(next.at("/result/text~1plain").asString()).isEqualTo("'kept, interrupted'");
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(30));
  }

  @Test
  void aRunThatShallGoOnOutlivesItsClient() throws Exception {
    box();
    try (SocketChannel channel = connect()) {
      send(
          channel,
          "application/json",
          "{\"code\":\"import time; time.sleep(1.5); y = 'done'\",\"keep_running\":true}");
      Thread.sleep(500);
    }
    assertThat(server.run("y").at("/result/text~1plain").asString()).isEqualTo("'done'");
  }

  @Test
  void aSignalReachesACommand() throws Exception {
    box();
    try (SocketChannel channel = connect()) {
      String json =
          "{\"argv\":[\"sh\",\"-c\",\"trap 'echo got; exit 7' USR1; echo up; while :; do sleep 0.1; done\"]}";
      sendTo(channel, "/v1/sandboxes/box/commands", "text/event-stream", json);
      String begun = readUntil(channel, "{\"text\":\"up", Duration.ofSeconds(10));
      String id = begun.replaceAll("(?s).*Msb-Run-Id: ([0-9a-f]{32}).*", "$1");
      server.post(
          "/v1/sandboxes/box/commands/" + id + "/signal", "{\"signal\":10,\"group\":false}");
      assertThat(readUntil(channel, "event: finished", Duration.ofSeconds(10)))
          .contains("\"exit_code\":7");
    }
  }

  @Test
  void theSocketIsForRootAndItsGroup() throws Exception {
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(home.resolve("s"))))
        .isEqualTo("rw-rw----");
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(home.resolve("s")));
      sendTo(channel, "/v1/keys", "application/json", "{\"name\":\"k\"}");
      assertThat(readUntil(channel, "msb_", Duration.ofSeconds(5))).contains("201 Created");
    }
  }

  @Test
  void aPortInUseIsSaidAndLeavesNothing() throws Exception {
    Path other = RunningServer.newHome();
    try (ServerSocket taken = new ServerSocket()) {
      taken.bind(new InetSocketAddress("127.0.0.1", 0));
      try (RunningServer second = RunningServer.launch(other, taken.getLocalPort())) {
        assertThat(second.process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(second.process.exitValue()).isOne();
        assertThat(second.said()).contains("another program listens on").contains("--port");
        assertThat(second.said()).doesNotContain("\tat ");
      }
    }
    assertThat(other.resolve("s")).doesNotExist();
    RunningServer.remove(other);
  }

  @Test
  void aSecondServerOnOneHomeIsRefusedAndTheFirstGoesOn() throws Exception {
    try (RunningServer second = RunningServer.launch(home, RunningServer.freePort())) {
      assertThat(second.process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(second.process.exitValue()).isOne();
      assertThat(second.said()).containsIgnoringCase("another server");
    }
    assertThat(server.get("/api/v1/health").get("message").asString())
        .isEqualTo("Service is healthy");
    assertThat(home.resolve("s")).exists();
  }

  @Test
  void sigtermEndsEverythingAndLeavesNothing() throws Exception {
    box();
    server.post("/v1/sandboxes", "{\"name\":\"brief\",\"memory\":256,\"ephemeral\":true}");
    String id = server.get("/v1/sandboxes/box").get("id").asString();
    CompletableFuture<JsonNode> run =
        CompletableFuture.supplyAsync(() -> unchecked(() -> server.run("while True: pass")));
    Thread.sleep(500);
    // 128 + 15: a JVM ended by a signal says so after its orderly end.
    assertThat(server.terminate()).isIn(0, 143);
    assertThat(run.join().path("outcome").asString("")).isEqualTo("sandbox_ended");
    assertThat(server.logged()).endsWith("ended\n").doesNotContain("\tat ");
    assertThat(home.resolve("s")).doesNotExist();
    assertThat(home.resolve("server.pid")).doesNotExist();
    assertThat(processesNaming(home.toString())).isEmpty();
    try (Stream<Path> disks = Files.list(home.resolve("sandboxes"))) {
      assertThat(disks.map(each -> each.getFileName().toString())).containsExactly(id);
    }
    assertThat(Files.readString(Path.of("/proc/self/mountinfo"))).doesNotContain(home.toString());
  }

  @Test
  void aStoppedSandboxIsThereForTheNextServer() throws Exception {
    box();
    server.post("/v1/sandboxes/box/commands", "{\"argv\":[\"sh\",\"-c\",\"echo kept > file\"]}");
    server.terminate();
    try (RunningServer next = RunningServer.start(home, RunningServer.freePort())) {
      assertThat(next.get("/v1/sandboxes/box").get("state").asString()).isEqualTo("stopped");
      assertThat(next.run("1").at("/error/code").asString()).isEqualTo("sandbox_not_running");
      next.post("/v1/sandboxes/box/start", "");
      assertThat(next.run("print(open('file').read())").get("stdout").asString())
          .isEqualTo("kept\n\n");
    }
  }

  @Test
  void theLogHoldsNoSecrets() throws Exception {
    server.post(
        "/v1/sandboxes", "{\"name\":\"box\",\"memory\":256,\"env\":{\"TOKEN\":\"s3cr3t-canary\"}}");
    server.run("import os; print(os.environ['TOKEN'])");
    assertThat(server.logged()).doesNotContain("s3cr3t-canary");
    assertThat(server.said()).doesNotContain("s3cr3t-canary");
  }

  private SocketChannel connect() throws IOException {
    return SocketChannel.open(new InetSocketAddress("127.0.0.1", server.port));
  }

  private static void send(SocketChannel channel, String accept, String json) throws IOException {
    sendTo(channel, "/v1/sandboxes/box/runs", accept, json);
  }

  private static void sendTo(SocketChannel channel, String path, String accept, String json)
      throws IOException {
    String request =
        "POST "
            + path
            + " HTTP/1.1\r\nHost: localhost\r\nAccept: "
            + accept
            + "\r\nContent-Type: application/json\r\nContent-Length: "
            + json.length()
            + "\r\n\r\n"
            + json;
    channel.write(ByteBuffer.wrap(request.getBytes(StandardCharsets.US_ASCII)));
  }

  private static String readUntil(SocketChannel channel, String end, Duration limit)
      throws Exception {
    long deadline = System.nanoTime() + limit.toNanos();
    channel.configureBlocking(false);
    ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
    while (System.nanoTime() < deadline) {
      int n = channel.read(buffer);
      String text = new String(buffer.array(), 0, buffer.position(), StandardCharsets.UTF_8);
      if (text.contains(end) || n < 0) {
        return text;
      }
      Thread.sleep(10);
    }
    throw new AssertionError(
        "did not come: "
            + end
            + " but "
            + new String(buffer.array(), 0, buffer.position(), StandardCharsets.UTF_8));
  }

  private static Stream<String> processesNaming(String text) {
    return ProcessHandle.allProcesses()
        .filter(each -> each.pid() != ProcessHandle.current().pid())
        .map(each -> each.info().commandLine().orElse(""))
        .filter(line -> line.contains(text));
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
