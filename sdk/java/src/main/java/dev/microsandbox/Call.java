package dev.microsandbox;

import java.io.InputStream;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One request, as it stands on the wire (`spec/openapi.yaml`).
///
/// @param body null for none
/// @param content a body to be read while it is sent; null for none
/// @param timeout until the caller gives up; null for never
record Call(
    String method,
    String path,
    byte @Nullable [] body,
    @Nullable InputStream content,
    String contentType,
    @Nullable Duration timeout) {
  private static final String JSON = "application/json";
  private static final String BYTES = "application/octet-stream";

  /// For what the server does at once.
  private static final Duration CONTROL = Duration.ofSeconds(120);

  /// Bytes a second at which a large body is still waited for.
  private static final int SLOWEST = 64 * 1024;

  /// Time limit of a run for which none is given; the server's default.
  private static final Duration RUN = Duration.ofSeconds(300);

  /// A call waits this much longer than the server's own limit for it.
  private static final Duration MARGIN = Duration.ofSeconds(30);

  static Call get(String path) {
    return new Call("GET", path, null, null, JSON, CONTROL);
  }

  static Call delete(String path) {
    return new Call("DELETE", path, null, null, JSON, CONTROL);
  }

  static Call post(String path, Map<String, ? extends @Nullable Object> body) {
    return new Call("POST", path, Json.write(body), null, JSON, CONTROL);
  }

  static Call patch(String path, Map<String, ? extends @Nullable Object> body) {
    return new Call("PATCH", path, Json.write(body), null, JSON, CONTROL);
  }

  static Call put(String path, Map<String, ? extends @Nullable Object> body) {
    return new Call("PUT", path, Json.write(body), null, JSON, CONTROL);
  }

  static Call put(String path, byte[] content) {
    Duration sending = Duration.ofSeconds(content.length / SLOWEST);
    return new Call("PUT", path, content, null, BYTES, CONTROL.plus(sending));
  }

  /// With content of unknown length, for which nobody can say how long it takes.
  static Call put(String path, InputStream content) {
    return new Call("PUT", path, null, content, BYTES, null);
  }

  /// The same with another limit; null for none.
  Call within(@Nullable Duration limit) {
    return new Call(method, path, body, content, contentType, limit);
  }

  /// The same with the limit of a run that has this one on the server.
  ///
  /// @param limit null for the server's default, zero for none
  Call withinRun(@Nullable Duration limit) {
    Duration run = limit == null ? RUN : limit;
    return within(run.isZero() ? null : run.plus(MARGIN));
  }

  static String escape(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  /// A time in seconds, for a body.
  static @Nullable Double seconds(@Nullable Duration duration) {
    return duration == null
        ? null
        : Double.valueOf(duration.getSeconds() + duration.getNano() / 1e9);
  }
}
