package dev.microsandbox;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// TCP and TLS by the JDK's own client. Loaded only when a server is not local.
final class JdkTransport implements Transport {
  private static final Duration CONNECT_LIMIT = Duration.ofSeconds(10);

  private final URI server;
  private final @Nullable String apiKey;
  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(CONNECT_LIMIT)
          .followRedirects(HttpClient.Redirect.NEVER)
          .build();

  JdkTransport(URI server, @Nullable String apiKey) {
    this.server = server;
    this.apiKey = apiKey;
  }

  @Override
  public Response send(Request request) throws IOException {
    HttpRequest.Builder builder =
        HttpRequest.newBuilder(URI.create(server + request.path()))
            .header("Accept", request.accept());
    if (request.contentType() != null) {
      builder.header("Content-Type", request.contentType());
    }
    if (apiKey != null) {
      builder.header("Authorization", "Bearer " + apiKey);
    }
    if (request.timeout() != null) {
      builder.timeout(request.timeout());
    }
    byte[] body = request.body();
    builder.method(
        request.method(),
        body == null ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(body));
    try {
      HttpResponse<InputStream> response =
          client.send(builder.build(), BodyHandlers.ofInputStream());
      return new Response(response.statusCode(), response.body());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw (IOException) new InterruptedIOException("interrupted").initCause(e);
    }
  }

  @Override
  public void close() {
    client.shutdownNow();
  }
}
