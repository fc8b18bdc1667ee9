package dev.microsandbox.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.microsandbox.engine.RunEvent;
import dev.microsandbox.engine.RunResult;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.Outcome;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.server.ServerFixture.Answer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The shapes that published old clients read, to the letter.
class RpcTest {
  private ServerFixture fixture;

  @BeforeEach
  void start() {
    fixture = new ServerFixture(true);
  }

  @AfterEach
  void stop() {
    fixture.close();
  }

  private Answer call(String method, String params) {
    return fixture.post(
        "/api/v1/rpc",
        "{\"jsonrpc\":\"2.0\",\"method\":\""
            + method
            + "\",\"params\":"
            + params
            + ",\"id\":\"7\"}");
  }

  private Answer startBox() {
    return call(
        "sandbox.start",
        """
        {"sandbox":"box","namespace":"default","config":{"image":"microsandbox/python","memory":512,"cpus":1}}\
        """);
  }

  @Test
  void startMakesASandbox() {
    assertThat(startBox().text())
        .isEqualTo(
            "{\"jsonrpc\":\"2.0\",\"result\":\"Sandbox box started successfully\",\"id\":\"7\"}");
    var spec = fixture.service.sandboxes.values().iterator().next().spec();
    assertThat(spec.limits().memory().mib()).isEqualTo(512);
    assertThat(spec.ephemeral()).isFalse();
  }

  @Test
  void startOfARunningOneSucceeds() {
    startBox();
    assertThat(startBox().json().get("result").asString())
        .isEqualTo("Sandbox box started successfully");
    assertThat(fixture.service.sandboxes).hasSize(1);
  }

  @Test
  void startWithoutConfigurationNeedsASandboxThatIsThere() {
    Answer answer = call("sandbox.start", "{\"sandbox\":\"box\"}");
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.text())
        .isEqualTo(
            "{\"error\":\"No configuration provided and no existing configuration found for sandbox"
                + " 'box'\",\"code\":2001}");
    startBox();
    call("sandbox.stop", "{\"sandbox\":\"box\"}");
    assertThat(call("sandbox.start", "{\"sandbox\":\"box\",\"config\":null}").status())
        .isEqualTo(200);
  }

  @Test
  void whatOldClientsNamedThemselvesGoesWhenItIsStopped() {
    call(
        "sandbox.start",
        "{\"sandbox\":\"sandbox-0a1b2c3d\",\"config\":{\"image\":\"microsandbox/node\"}}");
    assertThat(fixture.service.sandboxes.values().iterator().next().spec().ephemeral()).isTrue();
  }

  @Test
  void fieldsThatDoNothingAreTakenAndFieldsThatWouldBeMissedRefused() {
    String config =
        """
        {"image":"python","envs":["A=b=c"],"volumes":[],"ports":null,"depends_on":[],"workdir":null,"shell":"sh",
         "scripts":{"start":"x"},"exec":null,"unheard_of":1}\
        """;
    assertThat(call("sandbox.start", "{\"sandbox\":\"box\",\"config\":" + config + "}").status())
        .isEqualTo(200);
    assertThat(fixture.service.sandboxes.values().iterator().next().spec().environment())
        .isEqualTo(Map.of("A", "b=c"));
    Answer refused =
        call(
            "sandbox.start",
            "{\"sandbox\":\"b\",\"config\":{\"image\":\"python\",\"volumes\":[\"/:/host\"]}}");
    assertThat(refused.status()).isEqualTo(501);
    assertThat(refused.json().get("error").asString()).contains("volumes");
  }

  @Test
  void stopSaysSo() {
    startBox();
    assertThat(call("sandbox.stop", "{\"sandbox\":\"box\"}").json().get("result").asString())
        .isEqualTo("Sandbox box stopped successfully");
    Answer unknown = call("sandbox.stop", "{\"sandbox\":\"nope\"}");
    assertThat(unknown.status()).isEqualTo(404);
    assertThat(unknown.json().get("code").asInt()).isEqualTo(4001);
  }

  @Test
  void aCellIsAnsweredInLines() {
    startBox();
    fixture.service.script =
        ScriptedRun.Script.of(
            ScriptedRun.stdout("one\n\ntwo", 0),
            new RunEvent.Output(
                RunEvent.Source.STDERR, "warn\n".getBytes(StandardCharsets.UTF_8), 8),
            new RunEvent.Result(Map.of("text/plain", "42"), List.of()),
            ScriptedRun.finished(Outcome.OK));
    assertThat(
            call("sandbox.repl.run", "{\"sandbox\":\"box\",\"language\":\"python\",\"code\":\"x\"}")
                .text())
        .isEqualTo(
            "{\"jsonrpc\":\"2.0\",\"result\":{\"status\":\"success\",\"language\":\"python\",\"output\":["
                + "{\"stream\":\"stdout\",\"text\":\"one\"},{\"stream\":\"stdout\",\"text\":\"\"},"
                + "{\"stream\":\"stdout\",\"text\":\"two\"},{\"stream\":\"stdout\",\"text\":\"42\"},"
                + "{\"stream\":\"stderr\",\"text\":\"warn\"}]},\"id\":\"7\"}");
  }

  @Test
  void anExceptionIsStatusErrorWithItsTracebackOnStderr() {
    startBox();
    fixture.service.script =
        ScriptedRun.Script.of(
            new RunEvent.Raised(
                new RunResult.RunError("NameError", "m", "Traceback\nNameError: m")),
            ScriptedRun.finished(Outcome.ERROR));
    Answer answer =
        call("sandbox.repl.run", "{\"sandbox\":\"box\",\"language\":\"python\",\"code\":\"x\"}");
    assertThat(answer.json().at("/result/status").asString()).isEqualTo("error");
    assertThat(answer.json().at("/result/output/1").toString())
        .isEqualTo("{\"stream\":\"stderr\",\"text\":\"NameError: m\"}");
  }

  @Test
  void aTimeoutOfACellIsALineAndOfACommandAnError() {
    startBox();
    fixture.service.script =
        ScriptedRun.Script.of(
            new RunEvent.Finished(Outcome.TIMED_OUT, null, null, false, Duration.ofSeconds(2)));
    Answer cell =
        call(
            "sandbox.repl.run",
            "{\"sandbox\":\"box\",\"language\":\"python\",\"code\":\"x\",\"timeout\":2}");
    assertThat(cell.json().at("/result/status").asString()).isEqualTo("error");
    assertThat(cell.json().at("/result/output/0/text").asString())
        .isEqualTo("Error: Execution timed out after 2 seconds");
    Answer command =
        call("sandbox.command.run", "{\"sandbox\":\"box\",\"command\":\"sleep\",\"args\":[\"9\"]}");
    assertThat(command.json().get("error").asString()).contains("timed out after 2 seconds");
    assertThat(command.json().get("code").asInt()).isEqualTo(5002);
  }

  @Test
  void aCommandIsAnsweredWithItsExitCode() {
    startBox();
    fixture.service.script =
        ScriptedRun.Script.of(
            ScriptedRun.stdout("out\n", 0),
            new RunEvent.Finished(Outcome.EXITED, 3, null, false, Duration.ZERO));
    assertThat(
            call(
                    "sandbox.command.run",
                    "{\"sandbox\":\"box\",\"command\":\"ls\",\"args\":[\"-l\"],\"timeout\":null}")
                .text())
        .isEqualTo(
            "{\"jsonrpc\":\"2.0\",\"result\":{\"command\":\"ls\",\"args\":[\"-l\"],\"exit_code\":3,"
                + "\"success\":false,\"output\":[{\"stream\":\"stdout\",\"text\":\"out\"}]},\"id\":\"7\"}");
  }

  @Test
  void theNanosecondsOfTheGoClientAreNoError() {
    startBox();
    assertThat(
            call(
                    "sandbox.command.run",
                    "{\"sandbox\":\"box\",\"command\":\"ls\",\"timeout\":180000000000}")
                .status())
        .isEqualTo(200);
    assertThat(fixture.service.commands.getFirst().timeout()).isEqualTo(Duration.ofDays(30));
  }

  @Test
  void whatGoesWrongInsideIsSaid() {
    startBox();
    fixture.service.script =
        ScriptedRun.Script.refused(
            new SandboxException(ErrorCode.COMMAND_NOT_FOUND, "there is no program \"nope\""));
    assertThat(call("sandbox.command.run", "{\"sandbox\":\"box\",\"command\":\"nope\"}").text())
        .isEqualTo("{\"error\":\"there is no program \\\"nope\\\"\",\"code\":2001}");
  }

  @Test
  void metricsHaveTheOldUnits() {
    startBox();
    assertThat(
            call("sandbox.metrics.get", "{\"sandbox\":\"box\",\"namespace\":\"default\"}").text())
        .isEqualTo(
            "{\"jsonrpc\":\"2.0\",\"result\":{\"sandboxes\":[{\"namespace\":\"default\",\"name\":\"box\","
                + "\"running\":true,\"cpu_usage\":12.5,\"memory_usage\":34,\"disk_usage\":65536}]},"
                + "\"id\":\"7\"}");
    call("sandbox.stop", "{\"sandbox\":\"box\"}");
    assertThat(
            call("sandbox.metrics.get", "{\"namespace\":\"*\"}")
                .json()
                .at("/result/sandboxes/0")
                .toString())
        .isEqualTo(
            "{\"namespace\":\"default\",\"name\":\"box\",\"running\":false,\"cpu_usage\":null,"
                + "\"memory_usage\":null,\"disk_usage\":null}");
    assertThat(
            call("sandbox.metrics.get", "{\"sandbox\":\"other\"}").json().at("/result/sandboxes"))
        .isEmpty();
  }

  @Test
  void aNotificationIsCarriedOutAndAnswered() {
    Answer answer =
        fixture.post(
            "/api/v1/rpc",
            """
            {"jsonrpc":"2.0","method":"sandbox.start","params":{"sandbox":"box","config":{"image":"python"}}}\
            """);
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.json().has("id")).isFalse();
    assertThat(fixture.service.sandboxes).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"7", "\"x\"", "{\"a\":[1]}", "1.5"})
  void anyIdIsGivenBack(String id) {
    Answer answer =
        fixture.post(
            "/api/v1/rpc",
            "{\"jsonrpc\":\"2.0\",\"method\":\"sandbox.metrics.get\",\"params\":{},\"id\":"
                + id
                + "}");
    assertThat(answer.json().get("id").toString()).isEqualTo(id);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"jsonrpc":"1.0","method":"sandbox.start"} | 400 | -32600 | Invalid or missing jsonrpc version field
          {"method":"sandbox.start"}                 | 400 | -32600 | Invalid or missing jsonrpc version field
          {"jsonrpc":"2.0"}                          | 400 | -32600 | Invalid or missing method field
          {"jsonrpc":"2.0","method":7}               | 400 | -32600 | Invalid or missing method field
          {"jsonrpc":"2.0","method":"a.b"}           | 404 | -32601 | Method not found: a.b
          []                                         | 400 | -32600 | Invalid or missing jsonrpc version field
          """)
  void errorsOfTheProtocolHaveItsForm(String body, int status, int code, String message) {
    Answer answer = fixture.post("/api/v1/rpc", body);
    assertThat(answer.status()).isEqualTo(status);
    assertThat(answer.json().get("jsonrpc").asString()).isEqualTo("2.0");
    assertThat(answer.json().at("/error/code").asInt()).isEqualTo(code);
    assertThat(answer.json().at("/error/message").asString()).isEqualTo(message);
  }

  @Test
  void brokenJsonIsAProtocolError() {
    Answer answer = fixture.post("/api/v1/rpc", "{");
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.json().at("/error/code").asInt()).isEqualTo(-32700);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          sandbox.repl.run    | {"language":"python","code":""}          | Missing required 'sandbox' parameter
          sandbox.repl.run    | {"sandbox":"box","code":""}              | Missing required 'language' parameter
          sandbox.repl.run    | []                                       | Request parameters must be an object containing 'sandbox'
          sandbox.command.run | {"sandbox":"box"}                        | Missing required 'command' parameter
          sandbox.command.run | {"sandbox":"box","command":"a","args":"b"} | args must be a list of strings
          sandbox.start       | {"sandbox":"-"}                          | sandbox name must start with an alphanumeric character
          """)
  void errorsOfAMethodHaveTheOldEnvelope(String method, String params, String message) {
    Answer answer = call(method, params);
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.json().get("error").asString()).isEqualTo(message);
    assertThat(answer.json().get("code").asInt()).isEqualTo(2001);
    assertThat(answer.json()).hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"/api/v1/sandbox/start", "/api/v1/sandbox/stop", "/api/v1/sandbox/command/run"})
  void theAliasesDoTheSame(String path) {
    assertThat(
            fixture
                .post(
                    path, "{\"jsonrpc\":\"2.0\",\"method\":\"sandbox.metrics.get\",\"params\":{}}")
                .json()
                .at("/result/sandboxes"))
        .isEmpty();
  }

  @Test
  void withoutAKeyTheOldEnvelopeSaysSo() {
    try (ServerFixture keyed = new ServerFixture(false)) {
      Answer answer = keyed.post("/api/v1/rpc", "{}");
      assertThat(answer.status()).isEqualTo(401);
      assertThat(answer.json().get("code").asInt()).isEqualTo(1001);
      Answer wrong =
          keyed.send(
              keyed.method("POST", "/api/v1/rpc", "{}").header("Authorization", "msb_wrong"));
      assertThat(wrong.json().get("code").asInt()).isEqualTo(1004);
    }
  }
}
