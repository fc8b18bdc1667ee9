package dev.microsandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.microsandbox.SandboxClient.SandboxRef;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SandboxClientTest {
  @Test
  void eventsComeInOrderAndTheLastIsReturned() {
    FixedTransport transport =
        new FixedTransport(
            200,
            """
            : heartbeat

            event: started
            data: {"id":"r1"}

            event: stdout
            id: 2
            data: {"base64":"aGkK"}

            event: from_the_future
            data: {}

            event: finished
            data: {"outcome":"exited","has_error":true,"exit_code":3,"signal":null,"state_lost":false}

            """);
    List<RunEvent> events = new ArrayList<>();
    RunEvent.Finished finished;
    try (SandboxClient client = new SandboxClient(transport, "test")) {
      finished =
          client.run(
              new SandboxRef("my box", "team"),
              new CellRequest("x", null, null, null),
              events::add);
    }
    assertThat(finished.exitCode()).isEqualTo(3);
    assertThat(events).hasSize(3).first().isEqualTo(new RunEvent.Started("r1"));
    assertThat(((RunEvent.Output) events.get(1)).bytes()).isEqualTo("hi\n".getBytes());
    assertThat(transport.requests.getFirst().path())
        .isEqualTo("/v1/sandboxes/my%20box/runs?encoding=base64&namespace=team");
  }

  @Test
  void errorBodyBecomesAnExceptionWithItsCode() {
    FixedTransport transport =
        new FixedTransport(
            409,
            "{\"error\":{\"code\":\"name_taken\",\"message\":\"it is\",\"details\":{\"n\":1}}}");
    try (SandboxClient client = new SandboxClient(transport, "test")) {
      assertThatThrownBy(() -> client.create(CreateRequest.ofImage("python")))
          .isInstanceOfSatisfying(
              SandboxException.class,
              e -> {
                assertThat(e.code()).isEqualTo("name_taken");
                assertThat(e.message()).isEqualTo("it is");
                assertThat(e.details()).isEqualTo(Map.of("n", 1));
              });
    }
  }

  @Test
  void streamThatStopsBeforeItsEndIsAnError() {
    FixedTransport transport = new FixedTransport(200, "event: started\ndata: {\"id\":\"r\"}\n\n");
    try (SandboxClient client = new SandboxClient(transport, "test")) {
      assertThatThrownBy(() ->
              client.run(SandboxRef.of("a"), new CellRequest("x", null, null, null), event -> {}))
          .isInstanceOfSatisfying(
              SandboxException.class, e -> assertThat(e.code()).isEqualTo("server_unreachable"));
    }
  }

  /// Answers every request alike and keeps what was asked.
  private static final class FixedTransport implements Transport {
    private final List<Request> requests = new ArrayList<>();
    private final int status;
    private final String body;

    FixedTransport(int status, String body) {
      this.status = status;
      this.body = body;
    }

    @Override
    public Response send(Request request) throws IOException {
      requests.add(request);
      return new Response(status, new ByteArrayInputStream(body.getBytes(StandardCharsets.UTF_8)));
    }

    @Override
    public void close() {}
  }
}
