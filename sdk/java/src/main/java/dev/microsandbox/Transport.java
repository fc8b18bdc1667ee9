package dev.microsandbox;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// Carries requests to one server.
public interface Transport extends AutoCloseable {

  /// Sends a request and waits for the answer's headers.
  ///
  /// @throws IOException when the server cannot be reached or the connection breaks
  Response send(Request request) throws IOException;

  @Override
  void close();

  /// @param path with its query, already escaped
  /// @param body null for none
  /// @param timeout for the whole exchange; null for none
  record Request(
      String method,
      String path,
      String accept,
      @Nullable String contentType,
      byte @Nullable [] body,
      @Nullable Duration timeout) {}

  /// An answer. Its body is read until its end or closed early, which closes the connection.
  record Response(int status, InputStream body) implements AutoCloseable {
    @Override
    public void close() throws IOException {
      body.close();
    }
  }
}
