package dev.microsandbox;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// Reads a run's server-sent events.
final class EventReader implements AutoCloseable {
  private final Transport.Response response;
  private final BufferedReader lines;

  EventReader(Transport.Response response) {
    this.response = response;
    this.lines = new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8));
  }

  /// The next event, or null at the stream's end. Events of kinds that this client does not know
  /// are passed over.
  @Nullable RunEvent next() throws IOException {
    String type = "";
    StringBuilder data = new StringBuilder();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.startsWith("event:")) {
        type = line.substring(6).strip();
      } else if (line.startsWith("data:")) {
        data.append(line, 5, line.length());
      } else if (line.isEmpty() && !data.isEmpty()) {
        RunEvent event = event(type, Json.read(data.toString()));
        if (event != null) {
          return event;
        }
        type = "";
        data.setLength(0);
      }
    }
    return null;
  }

  private static @Nullable RunEvent event(String type, JsonNode data) {
    return switch (type) {
      case "started" -> new RunEvent.Started(Json.text(data, "id"));
      case "stdout" -> new RunEvent.Output(false, bytes(data));
      case "stderr" -> new RunEvent.Output(true, bytes(data));
      case "result" -> new RunEvent.Value(Json.textMap(data, "data"));
      case "error" -> {
        RunResult.RaisedError error = RunResult.RaisedError.of(data);
        yield error == null ? null : new RunEvent.Raised(error);
      }
      case "finished" ->
          new RunEvent.Finished(
              Json.text(data, "outcome"),
              data.path("has_error").asBoolean(false),
              Json.intOrNull(data, "exit_code"),
              Json.intOrNull(data, "signal"),
              data.path("state_lost").asBoolean(false));
      case "failed" -> throw SandboxClient.error(data, 200);
      default -> null;
    };
  }

  private static byte[] bytes(JsonNode data) {
    JsonNode encoded = data.path("base64");
    return encoded.isString()
        ? Base64.getDecoder().decode(encoded.asString())
        : Json.text(data, "text").getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public void close() throws IOException {
    response.close();
  }
}
