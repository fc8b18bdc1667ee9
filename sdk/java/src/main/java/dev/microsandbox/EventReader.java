package dev.microsandbox;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Base64;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/// Reads a run's server-sent events, whose output comes in base64. May be closed by another thread.
final class EventReader implements AutoCloseable {
  private static final int MAXIMUM_EVENT = 64 << 20;
  private static final byte[] NOTHING = {};

  private final Transport.Response response;
  private final Connection connection;
  private final InputStream in;
  private final OutputText stdout = new OutputText();
  private final OutputText stderr = new OutputText();
  private final Queue<RunEvent> waiting = new ArrayDeque<>();
  private long offset;
  private boolean finished;

  EventReader(Transport.Response response, Connection connection) {
    this.response = response;
    this.connection = connection;
    this.in = new BufferedInputStream(response.body());
  }

  /// The next event, or null after the last. Events of kinds that this client does not know are
  /// passed over.
  ///
  /// @throws SandboxException when the stream fails or ends before the run
  @Nullable RunEvent next() {
    try {
      while (waiting.isEmpty() && !finished) {
        read();
      }
      return waiting.poll();
    } catch (IOException e) {
      throw connection.lost(e);
    }
  }

  @Override
  public void close() {
    try {
      response.close();
    } catch (IOException alreadyGone) {
      // nothing is wanted of it any more
    }
  }

  private void read() throws IOException {
    String type = "";
    StringBuilder data = new StringBuilder();
    for (String line = line(); ; line = line()) {
      if (line.startsWith("event:")) {
        type = line.substring(6).strip();
      } else if (line.startsWith("id:")) {
        offset = number(line.substring(3).strip());
      } else if (line.startsWith("data:")) {
        data.append(line, 5, line.length());
        if (data.length() > MAXIMUM_EVENT) {
          throw new IOException("the server sent an endless event");
        }
      } else if (line.isEmpty() && !data.isEmpty()) {
        add(type, Json.read(data.toString().getBytes(StandardCharsets.UTF_8)));
        return;
      }
    }
  }

  private void add(String type, JsonObject data) throws IOException {
    switch (type) {
      case "started" -> waiting.add(new RunEvent.Started(data.text("id")));
      case "stdout" -> {
        byte[] bytes = bytes(data);
        waiting.add(new RunEvent.Stdout(stdout.add(bytes), bytes, offset));
      }
      case "stderr" -> {
        byte[] bytes = bytes(data);
        waiting.add(new RunEvent.Stderr(stderr.add(bytes), bytes, offset));
      }
      case "result" ->
          waiting.add(new RunEvent.Result(data.textMap("data"), data.texts("omitted")));
      case "error" -> {
        RaisedError error = RaisedError.of(data);
        if (error != null) {
          waiting.add(new RunEvent.Raised(error));
        }
      }
      case "finished" -> finish(data);
      case "failed" -> throw SandboxException.of(data, 200);
      default -> {}
    }
  }

  private void finish(JsonObject data) throws IOException {
    String rest = stdout.end();
    if (!rest.isEmpty()) {
      waiting.add(new RunEvent.Stdout(rest, NOTHING, offset));
    }
    rest = stderr.end();
    if (!rest.isEmpty()) {
      waiting.add(new RunEvent.Stderr(rest, NOTHING, offset));
    }
    waiting.add(
        new RunEvent.Finished(
            Outcome.of(data.text("outcome")),
            data.truth("has_error"),
            data.integerOrNull("exit_code"),
            data.integerOrNull("signal"),
            data.truth("state_lost"),
            data.duration("duration")));
    finished = true;
    // To its end, so that the connection can be used again.
    in.transferTo(OutputStream.nullOutputStream());
  }

  private static byte[] bytes(JsonObject data) {
    try {
      return Base64.getDecoder().decode(data.text("base64"));
    } catch (IllegalArgumentException e) {
      throw new SandboxException(ErrorCode.INTERNAL, "the server sent output that is not base64");
    }
  }

  private static long number(String text) throws IOException {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new IOException("the server sent an event whose id is no offset", e);
    }
  }

  private String line() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream(128);
    for (int b = in.read(); b != '\n'; b = in.read()) {
      if (b < 0) {
        throw new IOException("the connection ended before the run did");
      }
      if (line.size() == MAXIMUM_EVENT) {
        throw new IOException("the server sent an endless event");
      }
      line.write(b);
    }
    String text = line.toString(StandardCharsets.UTF_8);
    return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
  }
}
