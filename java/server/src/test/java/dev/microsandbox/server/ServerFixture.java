package dev.microsandbox.server;

import dev.microsandbox.server.ServerSettings.HttpLimits;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import tools.jackson.databind.JsonNode;

/// A real server on a free port and a socket of its own, over a scripted service; and ways to talk
/// to it, decent and indecent.
final class ServerFixture implements AutoCloseable {
  static final HttpLimits QUICK =
      new HttpLimits(
          64,
          16 * 1024,
          10 * 1024 * 1024,
          48 * 1024 * 1024,
          Duration.ofMillis(1500),
          Duration.ofMillis(1500),
          Duration.ofSeconds(20),
          Duration.ofMillis(1500),
          Duration.ofSeconds(2));

  final ScriptedService service = new ScriptedService();

  /// Each time that the server was to end: whether sandboxes were to be kept.
  final BlockingQueue<Boolean> ends = new LinkedBlockingQueue<>();

  final HttpServer server;
  final Path directory;
  final Path socket;
  private final HttpClient client = HttpClient.newHttpClient();

  ServerFixture(boolean dev) {
    this(dev, QUICK);
  }

  ServerFixture(boolean dev, HttpLimits limits) {
    try {
      directory = Files.createTempDirectory("msb");
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    socket = directory.resolve("s");
    ServerSettings settings = new ServerSettings("127.0.0.1", 0, socket, dev, false, null, limits);
    server =
        new HttpServer(
            settings,
            new ServerParts(
                "0.0.0",
                service,
                service,
                service,
                List::of,
                new PrometheusMeterRegistry(PrometheusConfig.DEFAULT),
                ends::add));
    server.start();
  }

  URI uri(String path) {
    return URI.create("http://127.0.0.1:" + server.port() + path);
  }

  HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(uri(path));
  }

  Answer get(String path) {
    return send(request(path).GET());
  }

  Answer post(String path, String json) {
    return send(method("POST", path, json));
  }

  HttpRequest.Builder method(String method, String path, String json) {
    return request(path)
        .header("Content-Type", "application/json")
        .method(method, BodyPublishers.ofString(json));
  }

  Answer send(HttpRequest.Builder request) {
    try {
      return Answer.of(client.send(request.build(), BodyHandlers.ofByteArray()));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /// What the server said.
  record Answer(int status, java.net.http.HttpHeaders headers, byte[] bytes) {
    static Answer of(HttpResponse<byte[]> response) {
      return new Answer(response.statusCode(), response.headers(), response.body());
    }

    String text() {
      return new String(bytes, StandardCharsets.UTF_8);
    }

    JsonNode json() {
      return Json.MAPPER.readTree(bytes);
    }

    /// The native form's code.
    String code() {
      return json().path("error").path("code").asString();
    }
  }

  /// Sends bytes as they are, and reads what comes until the server closes or it has been quiet.
  String raw(String bytes) throws IOException {
    return raw(bytes, Duration.ofSeconds(4));
  }

  String raw(String bytes, Duration patience) throws IOException {
    try (SocketChannel channel = open()) {
      channel.write(ByteBuffer.wrap(bytes.getBytes(StandardCharsets.ISO_8859_1)));
      return readAll(channel, patience);
    }
  }

  SocketChannel open() throws IOException {
    return SocketChannel.open(new InetSocketAddress("127.0.0.1", server.port()));
  }

  static String readAll(SocketChannel channel, Duration patience) throws IOException {
    channel.socket().setSoTimeout((int) patience.toMillis());
    StringBuilder text = new StringBuilder();
    byte[] buffer = new byte[8192];
    try {
      int n;
      while ((n = channel.socket().getInputStream().read(buffer)) > 0) {
        text.append(new String(buffer, 0, n, StandardCharsets.ISO_8859_1));
      }
    } catch (java.net.SocketTimeoutException _) {
      // Quiet: what came so far is the answer.
    } catch (java.net.SocketException _) {
      // Reset: likewise.
    }
    return text.toString();
  }

  /// One request over the unix socket, HTTP/1.0 so that the answer ends with the connection.
  String overSocket(String method, String path, String json) throws IOException {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket));
      String request =
          method
              + " "
              + path
              + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
              + "Content-Type: application/json\r\nContent-Length: "
              + json.length()
              + "\r\n\r\n"
              + json;
      channel.write(ByteBuffer.wrap(request.getBytes(StandardCharsets.UTF_8)));
      ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
      while (channel.read(buffer) >= 0) {
        // Until the end.
      }
      return new String(buffer.array(), 0, buffer.position(), StandardCharsets.UTF_8);
    }
  }

  @Override
  public void close() {
    server.close();
    client.shutdownNow();
    try {
      Files.deleteIfExists(socket);
      Files.delete(directory);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
