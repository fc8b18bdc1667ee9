package dev.microsandbox.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.microsandbox.engine.RunEvent;
import dev.microsandbox.engine.RunResult;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.Outcome;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.server.ServerFixture.Answer;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class RunTest {
  private static final String RUNS = "/v1/sandboxes/box/runs";
  private ServerFixture fixture;

  @BeforeEach
  void start() {
    fixture = new ServerFixture(true);
    fixture.post("/v1/sandboxes", "{\"name\":\"box\"}");
  }

  @AfterEach
  void stop() {
    fixture.service.runs.forEach(ScriptedRun::interrupt);
    fixture.close();
  }

  private Answer events(String path, String json) {
    return fixture.send(fixture.method("POST", path, json).header("Accept", "text/event-stream"));
  }

  private ScriptedRun onlyRun() throws InterruptedException {
    for (int i = 0; i < 200 && fixture.service.runs.isEmpty(); i++) {
      Thread.sleep(10);
    }
    return fixture.service.runs.getFirst();
  }

  @Test
  void aRunIsAnsweredByOneDocument() {
    fixture.service.script =
        ScriptedRun.Script.of(
            new RunEvent.Started(),
            ScriptedRun.stdout("hi\n", 0),
            new RunEvent.Result(Map.of("text/plain", "42"), List.of()),
            ScriptedRun.finished(Outcome.OK));
    Answer answer = fixture.post(RUNS, "{\"code\":\"6*7\"}");
    JsonNode run = answer.json();
    assertThat(run.get("outcome").asString()).isEqualTo("ok");
    assertThat(run.get("stdout").asString()).isEqualTo("hi\n");
    assertThat(run.at("/result/text~1plain").asString()).isEqualTo("42");
    assertThat(run.get("error").isNull()).isTrue();
    assertThat(run.get("has_error").asBoolean()).isFalse();
    assertThat(answer.headers().firstValue("Msb-Run-Id")).hasValue(run.get("id").asString());
  }

  @Test
  void aCellWaitsForItsSandboxToStart() {
    fixture.service.starting = true;
    assertThat(fixture.post(RUNS, "{\"code\":\"1\"}").status()).isEqualTo(200);
    assertThat(fixture.service.cells).hasSize(1);
  }

  @Test
  void aCellWhoseBodyComesInPiecesIsRunOnce() throws Exception {
    String json = "{\"code\":\"1\"}";
    String head =
        "POST %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n".formatted(RUNS)
            + "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                .formatted(json.length());
    try (SocketChannel channel = fixture.open()) {
      for (String piece : List.of(head, json.substring(0, 5), json.substring(5))) {
        assertThat(fixture.service.cells).isEmpty();
        channel.write(ByteBuffer.wrap(piece.getBytes(StandardCharsets.UTF_8)));
        Thread.sleep(50);
      }
      assertThat(ServerFixture.readAll(channel, Duration.ofSeconds(4))).startsWith("HTTP/1.1 200");
    }
    assertThat(fixture.service.cells).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 100, 300_000})
  void theOutputIsWholeWhoeverWritesTheAnswer(int size) {
    String text = "x".repeat(size);
    fixture.service.script =
        ScriptedRun.Script.of(
            new RunEvent.Started(), ScriptedRun.stdout(text, 0), ScriptedRun.finished(Outcome.OK));
    assertThat(fixture.post(RUNS, "{\"code\":\"1\"}").json().get("stdout").asString())
        .isEqualTo(text);
  }

  @Test
  void cellsInOnePacketAreAnsweredInOrder() throws Exception {
    String one =
        "POST %s HTTP/1.1\r\nHost: localhost\r\n%sContent-Type: application/json\r\n"
            + "Content-Length: 12\r\n\r\n{\"code\":\"1\"}";
    String answers =
        fixture.raw(one.formatted(RUNS, "") + one.formatted(RUNS, "Connection: close\r\n"));
    assertThat(answers.split("HTTP/1.1 200", -1)).hasSize(3);
    assertThat(fixture.service.cells).hasSize(2);
  }

  @Test
  void theImagesFirstLanguageIsTheDefaultAndLimitsReachTheEngine() {
    fixture.post(
        RUNS, "{\"code\":\"1\",\"timeout\":0.25,\"keep_running\":true,\"output_limit\":10}");
    var cell = fixture.service.cells.getFirst();
    assertThat(cell.context()).isEqualTo("python");
    assertThat(cell.timeout()).isEqualTo(Duration.ofMillis(250));
    assertThat(cell.keepRunning()).isTrue();
    assertThat(cell.outputLimit()).isEqualTo(10);
    fixture.post(RUNS, "{\"code\":\"1\",\"language\":\"JavaScript\"}");
    assertThat(fixture.service.cells.get(1).context()).isEqualTo("node");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"code\":null}",
        "{\"code\":1}",
        "{\"code\":\"\",\"language\":\"python\",\"context\":\"c\"}",
        "{\"code\":\"\",\"output_limit\":-1}"
      })
  void aRunThatMakesNoSenseIsRefused(String json) {
    assertThat(fixture.post(RUNS, json).status()).isEqualTo(400);
  }

  @Test
  void unknownLanguageAndNegativeTimeHaveTheirCodes() {
    assertThat(fixture.post(RUNS, "{\"code\":\"\",\"language\":\"cobol\"}").code())
        .isEqualTo("unknown_language");
    assertThat(fixture.post(RUNS, "{\"code\":\"\",\"timeout\":-1}").code())
        .isEqualTo("invalid_limits");
  }

  @Test
  void aCommandGetsItsArgumentsAndInput() {
    fixture.post(
        "/v1/sandboxes/box/commands",
        """
        {"argv":["cat","-"],"stdin":"in","env":{"A":"b"},"working_directory":"/tmp","user":"root"}\
        """);
    var command = fixture.service.commands.getFirst();
    assertThat(command.argv()).containsExactly("cat", "-");
    assertThat(command.stdin()).isEqualTo("in".getBytes(StandardCharsets.UTF_8));
    assertThat(command.environment()).containsEntry("A", "b");
    assertThat(command.workingDirectory()).isEqualTo("/tmp");
    assertThat(command.user()).isEqualTo("root");
    fixture.post("/v1/sandboxes/box/commands", "{\"argv\":[\"cat\"],\"stdin_base64\":\"/wA=\"}");
    assertThat(fixture.service.commands.get(1).stdin()).containsExactly(0xff, 0);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"argv\":[]}",
        "{\"argv\":[null]}",
        "{\"argv\":\"ls\"}",
        "{\"argv\":[\"a\\u0000b\"]}",
        "{\"argv\":[\"a\"],\"stdin_base64\":\"%\"}",
        "{\"argv\":[\"a\"],\"stdin\":\"\",\"stdin_base64\":\"\"}",
        "{\"argv\":[\"a\"],\"env\":{\"=\":\"\"}}"
      })
  void aCommandThatMakesNoSenseIsRefused(String json) {
    assertThat(fixture.post("/v1/sandboxes/box/commands", json).code())
        .isEqualTo("invalid_request");
  }

  @Test
  void eventsComeInOrderWithOffsets() {
    fixture.service.script =
        ScriptedRun.Script.of(
            new RunEvent.Started(),
            ScriptedRun.stdout("hello\n", 0),
            new RunEvent.Output(RunEvent.Source.STDERR, "bad".getBytes(StandardCharsets.UTF_8), 6),
            new RunEvent.Raised(new RunResult.RunError("E", "m", "t")),
            ScriptedRun.finished(Outcome.ERROR));
    Answer answer = events(RUNS, "{\"code\":\"1\"}");
    String id = answer.headers().firstValue("Msb-Run-Id").orElseThrow();
    assertThat(answer.headers().firstValue("Content-Type")).hasValue("text/event-stream");
    assertThat(answer.text())
        .isEqualTo(
            """
            event: started
            data: {"id":"%s"}

            event: stdout
            id: 6
            data: {"text":"hello\\n"}

            event: stderr
            id: 9
            data: {"text":"bad"}

            event: error
            data: {"name":"E","message":"m","traceback":"t"}

            event: finished
            data: {"outcome":"error","has_error":true,"exit_code":null,"signal":null,"state_lost":false,"duration":0.005}

            """
                .formatted(id));
  }

  @Test
  void aCharacterSplitBetweenTwoPiecesStaysWhole() {
    byte[] smile = "\ud83d\ude00".getBytes(StandardCharsets.UTF_8);
    fixture.service.script =
        ScriptedRun.Script.of(
            new RunEvent.Output(RunEvent.Source.STDOUT, new byte[] {'a', smile[0], smile[1]}, 0),
            new RunEvent.Output(RunEvent.Source.STDERR, new byte[] {'e'}, 3),
            new RunEvent.Output(RunEvent.Source.STDOUT, new byte[] {smile[2], smile[3]}, 4),
            new RunEvent.Output(RunEvent.Source.STDOUT, new byte[] {(byte) 0xff, 'z', smile[0]}, 6),
            ScriptedRun.finished(Outcome.OK));
    String text = events(RUNS, "{\"code\":\"1\"}").text();
    assertThat(text)
        .containsSubsequence(
            "id: 1\ndata: {\"text\":\"a\"}",
            "{\"text\":\"e\"}",
            "{\"text\":\"\ud83d\ude00\"}",
            "id: 8\ndata: {\"text\":\"\ufffdz\"}",
            "data: {\"text\":\"\ufffd\"}",
            "event: finished");
  }

  @Test
  void bytesComeAsTheyAreInBase64() {
    byte[] bytes = {0, (byte) 0xff, 10};
    fixture.service.script =
        ScriptedRun.Script.of(
            new RunEvent.Output(RunEvent.Source.STDOUT, bytes, 0),
            ScriptedRun.finished(Outcome.OK));
    assertThat(events(RUNS + "?encoding=base64", "{\"code\":\"1\"}").text())
        .contains("data: {\"base64\":\"" + Base64.getEncoder().encodeToString(bytes) + "\"}");
    assertThat(fixture.post(RUNS + "?encoding=hex", "{\"code\":\"1\"}").code())
        .isEqualTo("invalid_request");
  }

  @Test
  void whatIsRefusedBeforeTheFirstEventHasItsStatus() {
    fixture.service.script =
        ScriptedRun.Script.refused(
            new SandboxException(ErrorCode.COMMAND_NOT_FOUND, "there is no program nope"));
    Answer answer = events("/v1/sandboxes/box/commands", "{\"argv\":[\"nope\"]}");
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.code()).isEqualTo("command_not_found");
    assertThat(fixture.post(RUNS, "{\"code\":\"\"}").code()).isEqualTo("command_not_found");
  }

  @Test
  void aRunCanBeInterruptedFromOutside() throws Exception {
    fixture.service.script = ScriptedRun.Script.endless();
    Thread.startVirtualThread(() -> {
      try {
        ScriptedRun run = onlyRun();
        assertThat(fixture.post(RUNS + "/" + run.id() + "/interrupt", "").status()).isEqualTo(204);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    });
    assertThat(fixture.post(RUNS, "{\"code\":\"1\"}").json().get("outcome").asString())
        .isEqualTo("interrupted");
    assertThat(fixture.post(RUNS + "/zz/interrupt", "").code()).isEqualTo("run_not_found");
  }

  @Test
  void aSignalReachesACommandOrItsWholeGroup() {
    String id =
        fixture
            .post("/v1/sandboxes/box/commands", "{\"argv\":[\"a\"]}")
            .json()
            .get("id")
            .asString();
    String path = "/v1/sandboxes/box/commands/" + id + "/signal";
    assertThat(fixture.post(path, "{\"signal\":2}").status()).isEqualTo(204);
    assertThat(fixture.post(path, "{\"signal\":15,\"group\":false}").status()).isEqualTo(204);
    assertThat(fixture.service.signals).containsExactly(-2, 15);
    assertThat(fixture.post(path, "{\"signal\":0}").code()).isEqualTo("invalid_request");
    assertThat(fixture.post(path, "{}").code()).isEqualTo("invalid_request");
  }

  @Test
  void anEndedRunCanBeCollectedOrFollowedAgain() {
    String id = fixture.post(RUNS, "{\"code\":\"1\"}").json().get("id").asString();
    JsonNode again = fixture.get(RUNS + "/" + id).json();
    assertThat(again.get("stdout").asString()).isEqualTo("hello\n");
    assertThat(again.get("outcome").asString()).isEqualTo("ok");
    Answer followed =
        fixture.send(
            fixture
                .request(RUNS + "/" + id)
                .header("Accept", "text/event-stream")
                .header("Last-Event-ID", "0"));
    assertThat(followed.text()).contains("event: stdout", "event: finished");
    assertThat(fixture.get(RUNS + "/" + "0".repeat(32)).code()).isEqualTo("run_not_found");
  }

  @ParameterizedTest
  @ValueSource(strings = {"application/json", "text/event-stream"})
  void aClientThatVanishesAbandonsItsRun(String accept) throws Exception {
    fixture.service.script = ScriptedRun.Script.endless();
    try (SocketChannel channel = fixture.open()) {
      send(channel, accept, "{\"code\":\"1\"}");
      ScriptedRun run = onlyRun();
      assertThat(run.abandoned.await(300, TimeUnit.MILLISECONDS)).isFalse();
    }
    assertThat(onlyRun().abandoned.await(2, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void aClientThatWaitsLongerThanTheIdleTimeIsNotCutOff() throws Exception {
    fixture.service.script = ScriptedRun.Script.endless();
    ServerSettings.HttpLimits quick = ServerFixture.QUICK;
    try (ServerFixture impatient =
        new ServerFixture(
            true,
            new ServerSettings.HttpLimits(
                64,
                quick.headerBytes(),
                quick.jsonBytes(),
                quick.allBodiesBytes(),
                quick.header(),
                quick.body(),
                Duration.ofMillis(400),
                quick.stall(),
                quick.drain()))) {
      impatient.service.script = ScriptedRun.Script.endless();
      impatient.post("/v1/sandboxes", "{\"name\":\"box\"}");
      Thread.startVirtualThread(() -> {
        try {
          Thread.sleep(1500);
          impatient.service.runs.getFirst().interrupt();
        } catch (InterruptedException e) {
          throw new IllegalStateException(e);
        }
      });
      assertThat(impatient.post(RUNS, "{\"code\":\"1\"}").json().get("outcome").asString())
          .isEqualTo("interrupted");
      assertThat(impatient.service.runs.getFirst().abandoned.getCount()).isOne();
    }
  }

  @Test
  void aRequestThatWasPipelinedBehindARunIsServedAfterIt() throws Exception {
    fixture.service.script = ScriptedRun.Script.endless();
    try (SocketChannel channel = fixture.open()) {
      send(channel, "application/json", "{\"code\":\"1\"}");
      ScriptedRun run = onlyRun();
      Thread.sleep(200);
      channel.write(
          ByteBuffer.wrap(
              "GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                  .getBytes(StandardCharsets.US_ASCII)));
      Thread.sleep(300);
      assertThat(run.abandoned.getCount()).isOne();
      run.interrupt();
      assertThat(ServerFixture.readAll(channel, Duration.ofSeconds(4)))
          .containsSubsequence("interrupted", "Service is healthy");
    }
  }

  @Test
  void aClientThatDoesNotReadHoldsTheProgramUpAndIsCutOffInTheEnd() throws Exception {
    fixture.service.script = ScriptedRun.Script.flood();
    try (SocketChannel channel = fixture.open()) {
      send(channel, "text/event-stream", "{\"code\":\"1\"}");
      ScriptedRun run = onlyRun();
      Thread.sleep(700);
      int taken = run.taken.get();
      Thread.sleep(300);
      assertThat(run.taken.get()).as("nothing is taken while nobody reads").isEqualTo(taken);
      assertThat(taken).as("what is on the way is bounded").isLessThan(400);
      assertThat(run.abandoned.await(5, TimeUnit.SECONDS)).isTrue();
    }
  }

  private static void send(SocketChannel channel, String accept, String json) throws Exception {
    String request =
        "POST "
            + RUNS
            + " HTTP/1.1\r\nHost: localhost\r\nAccept: "
            + accept
            + "\r\nContent-Type: application/json\r\nContent-Length: "
            + json.length()
            + "\r\n\r\n"
            + json;
    channel.write(ByteBuffer.wrap(request.getBytes(StandardCharsets.US_ASCII)));
  }
}
