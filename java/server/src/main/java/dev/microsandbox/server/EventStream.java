package dev.microsandbox.server;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Response;

/// Writes server-sent events. Writing waits while the client does not read, for a bounded time.
final class EventStream {
  private static final byte[] SIGN_OF_LIFE = ":\n\n".getBytes(StandardCharsets.US_ASCII);

  private final Response response;
  private final EndPoint connection;
  private final long usualIdle;
  private final Duration stall;
  private final ResponsePieces pieces;
  private final ByteArrayOutputStream pending = new ByteArrayOutputStream();
  private long lastWrite = System.nanoTime();

  EventStream(Response response, Duration stall) {
    this.response = response;
    this.connection = response.getRequest().getConnectionMetaData().getConnection().getEndPoint();
    this.usualIdle = connection.getIdleTimeout();
    this.stall = stall;
    this.pieces = new ResponsePieces(response, stall);
  }

  /// Begins the answer.
  void open() {
    // A reader may pause for longer than a connection may be idle.
    connection.setIdleTimeout(stall.toMillis());
    response.setStatus(200);
    response
        .getHeaders()
        .put(HttpHeader.CONTENT_TYPE, "text/event-stream")
        .put(HttpHeader.CACHE_CONTROL, "no-store")
        .put("X-Content-Type-Options", "nosniff");
  }

  /// Adds an event; it is sent with the next [#flush].
  void add(String name, Object data) {
    add(name, data, -1);
  }

  /// @param id the offset to go on from; negative for none
  void add(String name, Object data, long id) {
    StringBuilder head = new StringBuilder("event: ").append(name).append('\n');
    if (id >= 0) {
      head.append("id: ").append(id).append('\n');
    }
    pending.writeBytes(head.append("data: ").toString().getBytes(StandardCharsets.US_ASCII));
    pending.writeBytes(Json.write(data));
    pending.write('\n');
    pending.write('\n');
  }

  int pending() {
    return pending.size();
  }

  /// Sends what was added.
  void flush() throws IOException, InterruptedException {
    if (pending.size() > 0) {
      write(false, pending.toByteArray());
      pending.reset();
    }
  }

  /// Shows that the server lives, if nothing was sent for so long.
  void signOfLife(Duration every) throws IOException, InterruptedException {
    if (System.nanoTime() - lastWrite > every.toNanos()) {
      write(false, SIGN_OF_LIFE);
    }
  }

  /// Sends what was added, and the end.
  void end() throws IOException, InterruptedException {
    write(true, pending.toByteArray());
    connection.setIdleTimeout(usualIdle);
  }

  private void write(boolean last, byte[] bytes) throws IOException, InterruptedException {
    pieces.write(last, ByteBuffer.wrap(bytes));
    lastWrite = System.nanoTime();
  }
}
