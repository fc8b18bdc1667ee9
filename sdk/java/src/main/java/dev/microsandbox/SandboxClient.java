package dev.microsandbox;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Every verb of the server's native API (`spec/openapi.yaml`), one method each.
///
/// Methods wait for the answer and throw [SandboxException] by the code of what went wrong. May be
/// used from several threads.
public final class SandboxClient implements AutoCloseable {
  private static final String JSON = "application/json";
  private static final String EVENTS = "text/event-stream";
  private static final String BYTES = "application/octet-stream";
  private static final int MAXIMUM_ERROR = 1 << 20;

  private final Transport transport;
  private final String where;

  /// Uses a transport of the caller's.
  ///
  /// @param where the server's address, for messages
  public SandboxClient(Transport transport, String where) {
    this.transport = transport;
    this.where = where;
  }

  /// Connects by the unix socket or by TCP, as the address says; nothing is sent yet.
  public static SandboxClient of(ServerAddress address) {
    Transport transport =
        address.socket() != null
            ? new UnixTransport(address.socket())
            : new JdkTransport(address.uri(), address.apiKey());
    return new SandboxClient(transport, address.toString());
  }

  /// Creates a sandbox and returns when it is usable.
  public SandboxInfo create(CreateRequest request) {
    return SandboxInfo.of(post("/v1/sandboxes", request.toJson()));
  }

  public SandboxInfo get(SandboxRef sandbox) {
    return SandboxInfo.of(call("GET", sandbox.path("")));
  }

  /// The caller's sandboxes, the oldest first.
  ///
  /// @param namespace null for all
  public List<SandboxInfo> list(@Nullable String namespace) {
    String query = namespace == null ? "" : "?namespace=" + escape(namespace);
    return Json.list(call("GET", "/v1/sandboxes" + query), "sandboxes", SandboxInfo::of);
  }

  public SandboxInfo start(SandboxRef sandbox) {
    return SandboxInfo.of(post(sandbox.path("/start"), Json.object()));
  }

  /// Ends its processes and keeps its disk; an ephemeral one is removed.
  public SandboxInfo stop(SandboxRef sandbox) {
    return SandboxInfo.of(post(sandbox.path("/stop"), Json.object()));
  }

  /// Ends it and removes all that there is of it.
  public void delete(SandboxRef sandbox) {
    call("DELETE", sandbox.path(""));
  }

  /// Runs a cell and waits for its end.
  public RunResult run(SandboxRef sandbox, CellRequest cell) {
    return RunResult.of(post(sandbox.path("/runs"), cell.toJson()));
  }

  /// Runs a cell and gives its events as they happen; returns the last one.
  public RunEvent.Finished run(
      SandboxRef sandbox, CellRequest cell, Consumer<? super RunEvent> events) {
    return stream(sandbox.path("/runs", "encoding=base64"), cell.toJson(), events);
  }

  /// Runs a program and waits for its end.
  public RunResult command(SandboxRef sandbox, CommandRequest command) {
    return RunResult.of(post(sandbox.path("/commands"), command.toJson()));
  }

  /// Runs a program and gives its events as they happen; returns the last one.
  public RunEvent.Finished command(
      SandboxRef sandbox, CommandRequest command, Consumer<? super RunEvent> events) {
    return stream(sandbox.path("/commands", "encoding=base64"), command.toJson(), events);
  }

  /// Stops a cell or command; its outcome will be `interrupted`.
  public void interrupt(SandboxRef sandbox, String run) {
    post(sandbox.path("/runs/" + escape(run) + "/interrupt"), Json.object());
  }

  public byte[] readFile(SandboxRef sandbox, String path) {
    return exchange(
        new Transport.Request(
            "GET", sandbox.path("/files", "path=" + escape(path)), BYTES, null, null, null),
        response -> response.body().readAllBytes());
  }

  public void writeFile(SandboxRef sandbox, String path, byte[] content) {
    exchange(
        new Transport.Request(
            "PUT", sandbox.path("/files", "path=" + escape(path)), JSON, BYTES, content, null),
        response -> response.body().readAllBytes());
  }

  public Metrics metrics(SandboxRef sandbox) {
    return Metrics.of(call("GET", sandbox.path("/metrics")));
  }

  /// Lines of a sandbox's log past a sequence number, the oldest first.
  public List<LogLine> logs(SandboxRef sandbox, long after) {
    return Json.list(call("GET", sandbox.path("/logs", "after=" + after)), "entries", LogLine::of);
  }

  public List<ImageInfo> images() {
    return Json.list(call("GET", "/v1/images"), "images", ImageInfo::of);
  }

  /// Makes an API key; its secret is in this answer only.
  public KeyInfo createKey(@Nullable String name, @Nullable String owner) {
    ObjectNode body = Json.object();
    body.put("name", name);
    body.put("owner", owner);
    return KeyInfo.of(post("/v1/keys", body));
  }

  public List<KeyInfo> keys() {
    return Json.list(call("GET", "/v1/keys"), "keys", KeyInfo::of);
  }

  public void revokeKey(String id) {
    call("DELETE", "/v1/keys/" + escape(id));
  }

  public ServerInfo info() {
    return ServerInfo.of(call("GET", "/v1/info"));
  }

  /// What the server found out about its host by trying.
  public Doctor doctor() {
    return Doctor.of(call("GET", "/v1/doctor"));
  }

  /// Ends all sandboxes' processes and the server.
  public void shutdown() {
    post("/v1/shutdown", Json.object());
  }

  @Override
  public void close() {
    transport.close();
  }

  private RunEvent.Finished stream(
      String path, ObjectNode body, Consumer<? super RunEvent> events) {
    Transport.Request request =
        new Transport.Request("POST", path, EVENTS, JSON, Json.write(body), null);
    return exchange(
        request,
        response -> {
          EventReader reader = new EventReader(response);
          for (RunEvent event = reader.next(); event != null; event = reader.next()) {
            events.accept(event);
            if (event instanceof RunEvent.Finished finished) {
              return finished;
            }
          }
          throw new IOException("the server closed the stream before the run's end");
        });
  }

  private JsonNode post(String path, ObjectNode body) {
    return json(new Transport.Request("POST", path, JSON, JSON, Json.write(body), null));
  }

  private JsonNode call(String method, String path) {
    return json(new Transport.Request(method, path, JSON, null, null, null));
  }

  private JsonNode json(Transport.Request request) {
    return exchange(
        request,
        response -> {
          byte[] body = response.body().readAllBytes();
          return body.length == 0
              ? Json.object()
              : Json.read(new String(body, StandardCharsets.UTF_8));
        });
  }

  private <T> T exchange(Transport.Request request, Reading<T> reading) {
    try (Transport.Response response = transport.send(request)) {
      if (response.status() >= 400) {
        throw error(response);
      }
      return reading.from(response);
    } catch (UncheckedIOException e) {
      throw SandboxException.unreachable(where, e);
    } catch (IOException e) {
      throw SandboxException.unreachable(where, e);
    }
  }

  private static SandboxException error(Transport.Response response) throws IOException {
    byte[] body = response.body().readNBytes(MAXIMUM_ERROR);
    JsonNode parsed;
    try {
      parsed = Json.read(new String(body, StandardCharsets.UTF_8));
    } catch (SandboxException _) {
      parsed = Json.object();
    }
    return error(parsed, response.status());
  }

  /// Makes the exception for an error's body, as an answer or an event holds it.
  static SandboxException error(JsonNode body, int status) {
    JsonNode error = body.path("error");
    if (!error.isObject() || error.isEmpty()) {
      return new SandboxException(
          "internal", "the server answered with status " + status, Map.of());
    }
    return new SandboxException(
        Json.text(error, "code"),
        Json.text(error, "message"),
        Json.plainMap(error.path("details")));
  }

  static String escape(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  @FunctionalInterface
  private interface Reading<T> {
    T from(Transport.Response response) throws IOException;
  }

  /// Names a sandbox by its name or its id.
  ///
  /// @param namespace of the name
  public record SandboxRef(String sandbox, String namespace) {
    private static final String DEFAULT = "default";

    public static SandboxRef of(String sandbox) {
      return new SandboxRef(sandbox, DEFAULT);
    }

    String path(String rest, String... query) {
      StringBuilder path = new StringBuilder("/v1/sandboxes/").append(escape(sandbox)).append(rest);
      char border = '?';
      for (String pair : query) {
        path.append(border).append(pair);
        border = '&';
      }
      if (!namespace.equals(DEFAULT)) {
        path.append(border).append("namespace=").append(escape(namespace));
      }
      return path.toString();
    }
  }
}
