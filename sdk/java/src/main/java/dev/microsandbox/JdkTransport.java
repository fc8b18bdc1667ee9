package dev.microsandbox;

import java.io.FilterInputStream;
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

/// TCP and TLS by the JDK's own client. Loaded only when a server is not local.
final class JdkTransport implements Transport {
  private static final Duration CONNECT_LIMIT = Duration.ofSeconds(10);

  /// Of all sandboxes of this program, so that each finds the connections of the others. Proxy
  /// settings are not used: they are for the web, not for a server of one's own.
  private static final HttpClient CLIENT =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(CONNECT_LIMIT)
          .followRedirects(HttpClient.Redirect.NEVER)
          .proxy(HttpClient.Builder.NO_PROXY)
          .build();

  private final URI server;

  JdkTransport(URI server) {
    this.server = server;
  }

  @Override
  public Response send(Request request) throws IOException {
    HttpRequest.Builder builder = HttpRequest.newBuilder(URI.create(server + request.path()));
    request.headers().forEach(builder::header);
    if (request.timeout() != null) {
      builder.timeout(request.timeout());
    }
    builder.method(request.method(), body(request));
    try {
      HttpResponse<InputStream> response =
          CLIENT.send(builder.build(), BodyHandlers.ofInputStream());
      return new Response(response.statusCode(), new Body(response.body()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw (IOException) new InterruptedIOException("interrupted").initCause(e);
    }
  }

  private static HttpRequest.BodyPublisher body(Request request) {
    byte[] body = request.body();
    InputStream content = request.content();
    if (content != null) {
      return BodyPublishers.ofInputStream(() -> content);
    }
    return body == null ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(body);
  }

  /// Ends when nothing comes for too long.
  private static final class Body extends FilterInputStream {
    private final Silence silence = new Silence(this::giveUp);

    Body(InputStream body) {
      super(body);
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      silence.atMost(Silence.LIMIT);
      try {
        return in.read(target, offset, length);
      } catch (IOException e) {
        throw silence.reason(e);
      } finally {
        silence.rest();
      }
    }

    private void giveUp() {
      try {
        in.close();
      } catch (IOException ignored) {
        // its reader learns that it is closed
      }
    }
  }
}
