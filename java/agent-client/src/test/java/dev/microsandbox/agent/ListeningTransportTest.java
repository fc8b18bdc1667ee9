package dev.microsandbox.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class ListeningTransportTest {
  private static final Duration LONG = Duration.ofSeconds(10);

  @TempDir Path folder;
  private Path path;
  private ListeningTransport transport;

  @BeforeEach
  void bind() throws IOException {
    path = folder.resolve("agent.sock");
    transport = ListeningTransport.bind(path);
  }

  @AfterEach
  void close() {
    transport.close();
  }

  @Test
  void handsOutTheConnectionThatDialledBeforeAnyoneAsked() throws IOException {
    try (SocketChannel agent = dial();
        SocketChannel host = transport.next(LONG)) {
      agent.write(ByteBuffer.wrap(new byte[] {7}));
      assertThat(readByte(host)).isEqualTo(7);
    }
  }

  @Test
  void handsOutAConnectionThatComesWhileItWaits() throws Exception {
    CompletableFuture<SocketChannel> next = nextInBackground(LONG);
    Thread.sleep(50);
    try (SocketChannel agent = dial();
        SocketChannel host = next.get(5, TimeUnit.SECONDS)) {
      agent.write(ByteBuffer.wrap(new byte[] {9}));
      assertThat(readByte(host)).isEqualTo(9);
    }
  }

  @Test
  void closesOthersUnreadWhileOneLives() throws IOException {
    try (SocketChannel agent = dial();
        SocketChannel host = transport.next(LONG);
        SocketChannel second = dial()) {
      assertThat(second.read(ByteBuffer.allocate(1))).isEqualTo(-1);
      agent.write(ByteBuffer.wrap(new byte[] {1}));
      assertThat(readByte(host)).isEqualTo(1);
    }
  }

  @Test
  void closesOthersAtALimitedRate() throws IOException {
    try (SocketChannel _ = dial();
        SocketChannel _ = transport.next(LONG)) {
      long start = System.nanoTime();
      for (int i = 0; i < 5; i++) {
        try (SocketChannel other = dial()) {
          assertThat(other.read(ByteBuffer.allocate(1))).isEqualTo(-1);
        }
      }
      assertThat(Duration.ofNanos(System.nanoTime() - start))
          .isGreaterThan(Duration.ofMillis(4 * 95));
    }
  }

  @Test
  void handsOutTheNextOnceTheFirstIsClosed() throws IOException {
    try (SocketChannel _ = dial();
        SocketChannel host = transport.next(LONG)) {
      host.close();
      try (SocketChannel agent = dial();
          SocketChannel second = transport.next(LONG)) {
        agent.write(ByteBuffer.wrap(new byte[] {3}));
        assertThat(readByte(second)).isEqualTo(3);
      }
    }
  }

  @Test
  void givesUpAfterTheTimeout() {
    assertThatThrownBy(() -> transport.next(Duration.ofMillis(30)))
        .isInstanceOf(SocketTimeoutException.class);
  }

  @Test
  void wakesAWaiterWhenClosedAndRemovesItsFile() throws Exception {
    CompletableFuture<SocketChannel> next = nextInBackground(LONG);
    Thread.sleep(50);
    transport.close();
    assertThatThrownBy(() -> next.get(5, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasRootCauseInstanceOf(ClosedChannelException.class);
    assertThat(path).doesNotExist();
  }

  @Test
  void takesThePlaceOfAStaleSocketAndIsItsOwnersAlone() throws IOException {
    try (ListeningTransport again = ListeningTransport.bind(path);
        SocketChannel agent = dial();
        SocketChannel host = again.next(LONG)) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
          .isEqualTo("rw-------");
      agent.write(ByteBuffer.wrap(new byte[] {5}));
      assertThat(readByte(host)).isEqualTo(5);
    }
  }

  private SocketChannel dial() throws IOException {
    return SocketChannel.open(UnixDomainSocketAddress.of(path));
  }

  private static int readByte(SocketChannel channel) throws IOException {
    ByteBuffer one = ByteBuffer.allocate(1);
    channel.read(one);
    return one.get(0);
  }

  private CompletableFuture<SocketChannel> nextInBackground(Duration timeout) {
    CompletableFuture<SocketChannel> result = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(() -> {
          try {
            result.complete(transport.next(timeout));
          } catch (IOException e) {
            result.completeExceptionally(e);
          }
        });
    return result;
  }
}
