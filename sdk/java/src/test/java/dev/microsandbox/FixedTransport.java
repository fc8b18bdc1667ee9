package dev.microsandbox;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// Answers every request alike, the first with a sandbox that runs, and keeps what was asked.
final class FixedTransport implements Transport {
  static final String SANDBOX =
      "{\"id\":\"sb0123456789abcdef\",\"name\":\"box\",\"namespace\":\"default\",\"state\":\"running\"}";

  final List<Request> requests = new ArrayList<>();
  private final int status;
  private final String body;

  FixedTransport(int status, String body) {
    this.status = status;
    this.body = body;
  }

  /// A sandbox that was started, for which this transport answers.
  static PythonSandbox started(FixedTransport transport) {
    return PythonSandbox.builder().server(Server.of(transport, "test")).name("box").create();
  }

  @Override
  public Response send(Request request) {
    requests.add(request);
    boolean create = requests.size() == 1 && request.path().equals("/v1/sandboxes");
    return create ? answer(201, SANDBOX) : answer(status, body);
  }

  private static Response answer(int status, String body) {
    return new Response(status, new ByteArrayInputStream(body.getBytes(StandardCharsets.UTF_8)));
  }

  /// The body of the last request.
  JsonObject sent() {
    byte[] body = requests.getLast().body();
    return body == null ? JsonObject.EMPTY : Json.read(body);
  }
}
