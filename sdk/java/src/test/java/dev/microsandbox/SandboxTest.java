package dev.microsandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class SandboxTest {
  private static final String EVENTS =
      """
      : heartbeat

      event: started
      data: {"id":"r1"}

      event: stdout
      id: 4
      data: {"base64":"aGnDpA=="}

      event: from_the_future
      data: {}

      event: finished
      data: {"outcome":"exited","has_error":true,"exit_code":3,"signal":null,"state_lost":false,"duration":0.5}

      """;

  @Test
  void optionsAreSentAsTheWireHasThem() {
    FixedTransport transport = new FixedTransport(500, "");
    PythonSandbox sandbox =
        PythonSandbox.builder()
            .server(Server.of(transport, "test"))
            .name("box")
            .namespace("team")
            .memory(256)
            .cpus(0.5)
            .env("A", "b")
            .network("none")
            .timeToLive(Duration.ofMinutes(1))
            .idleTimeout(Duration.ZERO)
            .create();
    assertThat(transport.requests.getFirst().path()).isEqualTo("/v1/sandboxes");
    assertThat(transport.sent().fields())
        .containsEntry("name", "box")
        .containsEntry("namespace", "team")
        .containsEntry("image", "microsandbox/python")
        .containsEntry("memory", 256)
        .containsEntry("cpus", 0.5)
        .containsEntry("env", Map.of("A", "b"))
        .containsEntry("network", "none")
        .containsEntry("time_to_live", 60.0)
        .containsEntry("idle_timeout", 0.0)
        .containsEntry("ephemeral", true)
        .doesNotContainKey("disk");
    assertThat(sandbox.isStarted()).isTrue();
    assertThat(sandbox.name()).isEqualTo("box");
  }

  @Test
  void nothingIsSentForASandboxThatIsNotStarted() {
    FixedTransport transport = new FixedTransport(200, "{}");
    try (PythonSandbox sandbox =
        PythonSandbox.builder().server(Server.of(transport, "test")).build()) {
      assertCode(() -> sandbox.run("1"), ErrorCode.SANDBOX_NOT_RUNNING);
      assertThat(sandbox.name()).matches("sandbox-[0-9a-f]{8}");
    }
    assertThat(transport.requests).isEmpty();
  }

  @Test
  void connectedSandboxIsNotStoppedAtTheEndOfTheBlock() {
    FixedTransport transport = new FixedTransport(200, FixedTransport.SANDBOX);
    try (NodeSandbox sandbox =
        NodeSandbox.builder().server(Server.of(transport, "test")).namespace("a b").connect("x")) {
      assertThat(sandbox.isStarted()).isTrue();
      assertThat(sandbox.name()).isEqualTo("box");
    }
    assertThat(transport.requests).hasSize(1);
    assertThat(transport.requests.getFirst().path()).isEqualTo("/v1/sandboxes/x?namespace=a%20b");
  }

  @Test
  void languageIsLeftOutWhereAContextIsNamed() {
    FixedTransport transport = new FixedTransport(200, "{\"outcome\":\"ok\"}");
    PythonSandbox sandbox = FixedTransport.started(transport);
    sandbox.run("1");
    assertThat(transport.sent().text("language")).isEqualTo("python");
    sandbox.run("1", RunOptions.builder().context("second").build());
    assertThat(transport.sent().fields())
        .containsEntry("context", "second")
        .doesNotContainKey("language");
  }

  @Test
  void callWaitsLongerThanTheServersLimit() {
    FixedTransport transport = new FixedTransport(200, "{\"outcome\":\"ok\"}");
    PythonSandbox sandbox = FixedTransport.started(transport);
    sandbox.run("1", Duration.ofSeconds(7));
    assertThat(transport.requests.getLast().timeout()).isEqualTo(Duration.ofSeconds(37));
    sandbox.run("1", Duration.ZERO);
    assertThat(transport.requests.getLast().timeout()).isNull();
  }

  @Test
  void eventsComeInOrderToTheConsumerAndTheLastIsReturned() {
    FixedTransport transport = new FixedTransport(200, EVENTS);
    List<RunEvent> events = new ArrayList<>();
    RunEvent.Finished finished = FixedTransport.started(transport).stream("x", events::add);
    assertThat(finished.exitCode()).isEqualTo(3);
    assertThat(finished.duration()).isEqualTo(Duration.ofMillis(500));
    assertThat(events).hasSize(3).startsWith(new RunEvent.Started("r1")).endsWith(finished);
    RunEvent.Stdout output = (RunEvent.Stdout) events.get(1);
    assertThat(output.text()).isEqualTo("hiä");
    assertThat(output.offset()).isEqualTo(4);
    assertThat(transport.requests.getLast().path())
        .isEqualTo("/v1/sandboxes/sb0123456789abcdef/runs?encoding=base64");
    assertThat(transport.requests.getLast().headers()).containsEntry("Accept", "text/event-stream");
  }

  @Test
  void eventsComeAsAStreamToo() {
    PythonSandbox sandbox = FixedTransport.started(new FixedTransport(200, EVENTS));
    try (Stream<RunEvent> events = sandbox.stream("x")) {
      assertThat(events.filter(RunEvent.Output.class::isInstance)).hasSize(1);
    }
  }

  @Test
  void characterCutByTheBorderOfEventsIsWhole() {
    String cut =
        """
        event: stdout
        id: 1
        data: {"base64":"w6Q="}

        event: stdout
        id: 2
        data: {"base64":"w6TD"}

        event: stderr
        id: 3
        data: {"base64":"ww=="}

        event: stdout
        id: 4
        data: {"base64":"pA=="}

        event: finished
        data: {"outcome":"ok"}

        """;
    StringBuilder stdout = new StringBuilder();
    StringBuilder stderr = new StringBuilder();
    FixedTransport.started(new FixedTransport(200, cut)).stream(
        "x",
        event -> {
          if (event instanceof RunEvent.Stdout output) {
            stdout.append(output.text());
          } else if (event instanceof RunEvent.Stderr output) {
            stderr.append(output.text());
          }
        });
    assertThat(stdout).hasToString("äää");
    assertThat(stderr).hasToString("\uFFFD");
  }

  @Test
  void streamThatStopsBeforeItsEndIsAnError() {
    FixedTransport transport = new FixedTransport(200, "event: started\ndata: {\"id\":\"r\"}\n\n");
    assertCode(
        () -> FixedTransport.started(transport).stream("x", event -> {}),
        ErrorCode.SERVER_UNREACHABLE);
  }

  @Test
  void runThatFailsWithinTheStreamIsAnError() {
    FixedTransport transport =
        new FixedTransport(
            200,
            "event: failed\ndata: {\"error\":{\"code\":\"agent_lost\",\"message\":\"m\"}}\n\n");
    assertCode(
        () -> FixedTransport.started(transport).stream("x", event -> {}), ErrorCode.AGENT_LOST);
  }

  @Test
  void answersThatAreNoJsonAreErrors() {
    for (String body : List.of("<html>", "[]", "{\"outcome\":", "\"text\"")) {
      assertCode(
          () -> FixedTransport.started(new FixedTransport(200, body)).run("1"), ErrorCode.INTERNAL);
    }
  }

  @Test
  void answersOfTheWrongTypesAreReadAsFarAsTheyGo() {
    Execution execution =
        FixedTransport.started(
                new FixedTransport(
                    200,
                    "{\"outcome\":7,\"stdout\":[],\"result\":\"x\",\"error\":3,\"exit_code\":\"a\"}"))
            .run("1");
    assertThat(execution.outcome()).isEqualTo(Outcome.UNKNOWN);
    assertThat(execution.output()).isEmpty();
    assertThat(execution.exitCode()).isNull();
  }

  @Test
  void endlessNestingIsRefused() {
    String deep = "{\"a\":" + "[".repeat(5_000) + "]".repeat(5_000) + "}";
    assertCode(
        () -> FixedTransport.started(new FixedTransport(200, deep)).run("1"), ErrorCode.INTERNAL);
  }

  @Test
  void stopOfASandboxThatHasEndedByItselfSucceeds() {
    FixedTransport transport =
        new FixedTransport(
            404, "{\"error\":{\"code\":\"sandbox_not_found\",\"message\":\"m\",\"details\":{}}}");
    PythonSandbox sandbox = FixedTransport.started(transport);
    sandbox.stop();
    assertThat(sandbox.isStarted()).isFalse();
    sandbox.stop();
    assertThat(transport.requests).hasSize(2);
  }

  @Test
  void keyIsSentAndNotShown() {
    Transport.Request request =
        new Transport.Request(
            "GET", "/v1/info", Map.of("Authorization", "Bearer msb_secret"), null, null);
    assertThat(request.toString()).doesNotContain("msb_secret");
    assertThat(ServerAddress.parse("http://there", "msb_secret").toString())
        .doesNotContain("msb_secret");
  }

  private static AbstractThrowableAssert<?, ? extends Throwable> assertCode(
      ThrowingCallable call, ErrorCode code) {
    return assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            SandboxException.class, e -> assertThat(e.code()).as(e.message()).isEqualTo(code));
  }
}
