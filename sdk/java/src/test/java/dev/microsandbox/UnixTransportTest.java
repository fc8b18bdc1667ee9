package dev.microsandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class UnixTransportTest {
  private static final String ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"pid\": 42}";

  @TempDir Path folder;
  private ServerSocketChannel server;
  private final AtomicInteger connections = new AtomicInteger();

  @BeforeEach
  void listen() throws IOException {
    server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(folder.resolve("s")));
  }

  @AfterEach
  void close() throws IOException {
    server.close();
  }

  /// Answers each request of each connection with this text; closes after the first where told so.
  private void answerWith(String text, boolean once) {
    Thread.ofVirtual()
        .start(() -> {
          try {
            while (true) {
              SocketChannel connection = server.accept();
              connections.incrementAndGet();
              Thread.ofVirtual().start(() -> answer(connection, text, once));
            }
          } catch (IOException closed) {
            // the test is over
          }
        });
  }

  private static void answer(SocketChannel connection, String text, boolean once) {
    try (connection) {
      ByteBuffer request = ByteBuffer.allocate(1 << 16);
      while (connection.read(request.clear()) > 0) {
        connection.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
        if (once) {
          return;
        }
      }
    } catch (IOException gone) {
      // the client has closed it
    }
  }

  private Server client() {
    return Server.of(ServerAddress.of(folder.resolve("s")));
  }

  @Test
  void connectionIsUsedAgain() {
    answerWith(ANSWER, false);
    Server client = client();
    for (int i = 0; i < 5; i++) {
      assertThat(client.info().pid()).isEqualTo(42);
    }
    assertThat(client().info().pid()).isEqualTo(42);
    assertThat(connections).hasValue(1);
  }

  @Test
  void connectionThatTheServerHasClosedIsNotUsed() {
    answerWith("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", true);
    for (int i = 0; i < 3; i++) {
      client().info();
    }
    assertThat(connections).hasValue(3);
  }

  @Test
  void contentOfUnknownLengthIsSentInChunksToItsEnd() throws Exception {
    CompletableFuture<String> heard = new CompletableFuture<>();
    Path socket = folder.resolve("chunks");
    try (ServerSocketChannel listening = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      listening.bind(UnixDomainSocketAddress.of(socket));
      Thread.ofVirtual().start(() -> hear(listening, heard));
      Transport.Request request =
          new Transport.Request(
              "PUT",
              "/",
              Map.of(),
              null,
              new ByteArrayInputStream("some content".getBytes(StandardCharsets.UTF_8)),
              null);
      try (Transport.Response response = new UnixTransport(socket).send(request)) {
        assertThat(response.status()).isEqualTo(200);
      }
    }
    assertThat(heard.join())
        .contains("Transfer-Encoding: chunked\r\n")
        .endsWith("\r\n\r\nc\r\nsome content\r\n0\r\n\r\n");
  }

  private static void hear(ServerSocketChannel listening, CompletableFuture<String> heard) {
    try (SocketChannel connection = listening.accept()) {
      StringBuilder text = new StringBuilder();
      ByteBuffer bytes = ByteBuffer.allocate(1 << 16);
      while (!text.toString().endsWith("0\r\n\r\n") && connection.read(bytes.clear()) >= 0) {
        text.append(StandardCharsets.UTF_8.decode(bytes.flip()));
      }
      heard.complete(text.toString());
      connection.write(ByteBuffer.wrap(ANSWER.getBytes(StandardCharsets.UTF_8)));
    } catch (IOException e) {
      heard.completeExceptionally(e);
    }
  }

  @Test
  void requestWithoutAnAnswerEndsAtItsLimit() throws Exception {
    UnixTransport transport = new UnixTransport(folder.resolve("s"));
    assertThatThrownBy(() ->
            transport.send(
                new Transport.Request("GET", "/", Map.of(), null, Duration.ofMillis(100))))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("time limit");
  }

  @Test
  void interruptEndsTheCall() throws Exception {
    CompletableFuture<Throwable> thrown = new CompletableFuture<>();
    Thread caller =
        Thread.ofPlatform()
            .start(() -> {
              try {
                client().info();
              } catch (RuntimeException e) {
                thrown.complete(e);
              }
            });
    try (SocketChannel connection = server.accept()) {
      assertThat(connection.read(ByteBuffer.allocate(1 << 16))).isPositive();
      caller.interrupt();
      assertThat(thrown.get()).isInstanceOf(CancellationException.class);
      assertThat(connection.read(ByteBuffer.allocate(1))).isNegative();
    }
  }

  @Test
  void cancelledFutureClosesTheConnection() throws Exception {
    PythonSandbox sandbox = PythonSandbox.builder().server(client()).name("box").build();
    CompletableFuture<Void> start = sandbox.async().start();
    try (SocketChannel connection = server.accept()) {
      assertThat(connection.read(ByteBuffer.allocate(1 << 16))).isPositive();
      start.cancel(true);
      assertThat(connection.read(ByteBuffer.allocate(1))).isNegative();
    }
    assertThat(start).isCancelled();
  }

  @Test
  void hostileAnswersAreErrors() throws Exception {
    for (String answer :
        new String[] {
          "nonsense\r\n\r\n",
          "HTTP/1.1 abc\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}",
        }) {
      Path path = folder.resolve("s" + connections.get());
      try (ServerSocketChannel one = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
        one.bind(UnixDomainSocketAddress.of(path));
        Thread.ofVirtual()
            .start(() -> {
              try {
                answer(one.accept(), answer, true);
              } catch (IOException closed) {
                // the test is over
              }
            });
        assertThatThrownBy(() -> Server.of(ServerAddress.of(path)).info())
            .as(answer)
            .isInstanceOf(SandboxException.class);
      }
      connections.incrementAndGet();
    }
  }
}
