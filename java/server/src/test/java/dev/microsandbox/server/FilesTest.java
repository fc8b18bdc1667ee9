package dev.microsandbox.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Files over HTTP: whole or an error, whatever breaks on the way.
class FilesTest {
  private static final String FILES = "/v1/sandboxes/box/files?path=";

  private final ServerFixture fixture = new ServerFixture(true);

  @BeforeEach
  void create() {
    assertThat(fixture.post("/v1/sandboxes", "{\"name\":\"box\"}").status()).isEqualTo(201);
  }

  @AfterEach
  void close() {
    fixture.close();
  }

  @Test
  void aFileLargerThanAllBodiesTogetherMayBeGoesInAndOut() {
    byte[] content = new byte[60 * 1024 * 1024];
    new Random(1).nextBytes(content);
    var put = put("large").PUT(BodyPublishers.ofByteArray(content));
    assertThat(fixture.send(put).status()).isEqualTo(204);
    assertThat(fixture.service.files.get("large")).isEqualTo(content);
    ServerFixture.Answer answer = fixture.get(FILES + "large");
    assertThat(answer.headers().firstValueAsLong("content-length")).hasValue(content.length);
    assertThat(answer.bytes()).isEqualTo(content);
    assertThat(fixture.service.closedFiles).containsExactly("large", "large");
  }

  @Test
  void aFileOfUnknownSizeComesInChunksAndAnEmptyOneWithItsLength() {
    fixture.service.files.put("status?", "some text".getBytes(StandardCharsets.UTF_8));
    fixture.service.files.put("empty", new byte[0]);
    ServerFixture.Answer unsized = fixture.get(FILES + "status%3F");
    assertThat(unsized.text()).isEqualTo("some text");
    assertThat(unsized.headers().firstValue("content-length")).isEmpty();
    ServerFixture.Answer empty = fixture.get(FILES + "empty");
    assertThat(empty.bytes()).isEmpty();
    assertThat(empty.headers().firstValueAsLong("content-length")).hasValue(0);
  }

  @Test
  void aBodyWithoutALengthIsTaken() {
    byte[] content = new byte[300_000];
    var put = put("x").PUT(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(content)));
    assertThat(fixture.send(put).status()).isEqualTo(204);
    assertThat(fixture.service.files.get("x")).isEqualTo(content);
  }

  @Test
  void aFileThatBreaksInTheMiddleIsAnErrorAndNoShorterFile() {
    fixture.service.files.put("x!", new byte[1_000_000]);
    HttpClient client = HttpClient.newHttpClient();
    HttpRequest get = fixture.request(FILES + "x!").GET().build();
    assertThatThrownBy(() -> client.send(get, BodyHandlers.ofByteArray()))
        .isInstanceOf(IOException.class);
    assertThat(fixture.get(FILES + "nope").code()).isEqualTo("no_such_file");
  }

  @Test
  void anUploadThatFailsInTheMiddleIsAnsweredThoughItsClientIsStillSending() {
    var put = put("x!").PUT(BodyPublishers.ofByteArray(new byte[30_000_000]));
    assertThat(fixture.send(put).code()).isEqualTo("disk_full");
    assertThat(fixture.service.files).doesNotContainKey("x!");
    assertThat(fixture.service.closedFiles).containsExactly("x!");
  }

  @Test
  void aClientThatIsGoneInTheMiddleLeavesNothing() throws Exception {
    try (SocketChannel channel = fixture.open()) {
      begin(channel, "x", 1_000_000, 500_000);
    }
    assertThat(fixture.service.closedFiles.poll(10, TimeUnit.SECONDS)).isEqualTo("x");
    assertThat(fixture.service.files).doesNotContainKey("x");
  }

  @Test
  void aClientThatStopsSendingIsGivenUp() throws Exception {
    try (SocketChannel channel = fixture.open()) {
      begin(channel, "x", 1_000_000, 500_000);
      String answer = ServerFixture.readAll(channel, Duration.ofSeconds(20));
      assertThat(answer).contains("408").contains("request_timeout");
    }
    assertThat(fixture.service.closedFiles.poll(10, TimeUnit.SECONDS)).isEqualTo("x");
    assertThat(fixture.service.files).doesNotContainKey("x");
  }

  @Test
  void aClientThatSendsAByteNowAndThenIsGivenUpToo() throws Exception {
    try (SocketChannel channel = fixture.open()) {
      begin(channel, "x", 1_000_000, 1);
      String closed = null;
      while (closed == null) {
        closed = fixture.service.closedFiles.poll(200, TimeUnit.MILLISECONDS);
        try {
          channel.write(ByteBuffer.wrap(new byte[1]));
        } catch (IOException _) {
          // it has been closed
        }
      }
      assertThat(closed).isEqualTo("x");
    }
    assertThat(fixture.service.files).doesNotContainKey("x");
  }

  private HttpRequest.Builder put(String path) {
    return fixture.request(FILES + path).header("Content-Type", "application/octet-stream");
  }

  private static void begin(SocketChannel channel, String path, int announced, int sent)
      throws IOException {
    String head =
        "PUT "
            + FILES
            + path
            + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n"
            + "Content-Length: "
            + announced
            + "\r\n\r\n";
    channel.write(ByteBuffer.wrap(head.getBytes(StandardCharsets.US_ASCII)));
    ByteBuffer body = ByteBuffer.allocate(sent);
    while (body.hasRemaining()) {
      channel.write(body);
    }
  }
}
