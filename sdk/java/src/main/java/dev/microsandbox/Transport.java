package dev.microsandbox;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Carries requests to one server. The client brings one for unix sockets and one for TCP; another
/// may be given to [Server#of(Transport, String)].
///
/// Used by several threads at once. An interrupt of the thread that sends or reads ends the
/// exchange and closes its connection.
public interface Transport {

  /// Sends a request and waits for the answer's headers. Never sends it twice: it may have had its
  /// effect.
  ///
  /// @throws IOException when the server cannot be reached, the connection breaks, or nothing comes
  ///   for the request's time limit
  Response send(Request request) throws IOException;

  /// A request of HTTP.
  ///
  /// @param path with its query, already escaped
  /// @param headers by name
  /// @param body null for none
  /// @param content a body whose length is not known, to be read to its end by who sends it; null
  ///   for none, and where there is a `body`
  /// @param timeout until the answer's headers are there; null for none
  record Request(
      String method,
      String path,
      Map<String, String> headers,
      byte @Nullable [] body,
      @Nullable InputStream content,
      @Nullable Duration timeout) {

    /// With a body that is all there, or none.
    public Request(
        String method,
        String path,
        Map<String, String> headers,
        byte @Nullable [] body,
        @Nullable Duration timeout) {
      this(method, path, headers, body, null, timeout);
    }

    /// Without the headers, for one of them is the key.
    @Override
    public String toString() {
      return method + " " + path;
    }
  }

  /// An answer. Its body is read until its end, or closed early, which closes the connection.
  ///
  /// @param body fails when nothing comes for a minute; a server says something every 15 seconds
  record Response(int status, InputStream body) implements AutoCloseable {
    @Override
    public void close() throws IOException {
      body.close();
    }
  }
}
