package dev.microsandbox.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.microsandbox.server.ServerFixture.Answer;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What no decent client sends. After each attack the server serves as before.
class HostileRequestTest {
  private static ServerFixture fixture;

  @BeforeAll
  static void start() {
    fixture = new ServerFixture(true);
    fixture.post("/v1/sandboxes", "{\"name\":\"box\"}");
  }

  @AfterAll
  static void stop() {
    fixture.close();
  }

  @AfterEach
  void servesAsBefore() {
    assertThat(fixture.get("/api/v1/health").text()).contains("Service is healthy");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{",
        "{\"a\":1,}",
        "{\"name\":\"a\",\"name\":\"b\"}",
        "{\"cpus\":NaN}",
        "{\"cpus\":Infinity}",
        "{\"cpus\":+1}",
        "{'name':'a'}",
        "{} {}",
        "{}x",
        "// c\n{}",
        "{\"name\":\"\u0001\"}",
        ""
      })
  void whatIsNotJsonIsSaidToBeSo(String body) {
    Answer answer =
        fixture.send(
            fixture
                .request("/v1/sandboxes/box/runs")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body)));
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.code()).isIn("invalid_json", "invalid_request");
  }

  @Test
  void duplicateKeysAreRefused() {
    Answer answer = fixture.post("/v1/sandboxes", "{\"name\":\"a\",\"name\":\"b\"}");
    assertThat(answer.code()).isEqualTo("invalid_json");
    assertThat(answer.text()).contains("twice");
  }

  @Test
  void depthIsLimited() {
    assertThat(fixture.post("/v1/sandboxes", "[".repeat(100_000)).status()).isEqualTo(400);
    assertThat(fixture.post("/api/v1/rpc", "[".repeat(100_000)).status()).isEqualTo(400);
    assertThat(
            fixture
                .post("/v1/sandboxes", "{\"x\":" + "[".repeat(65) + "]".repeat(65) + "}")
                .status())
        .isEqualTo(400);
    assertThat(fixture.post("/api/v1/rpc", "[".repeat(65) + "]".repeat(65)).status())
        .isEqualTo(400);
  }

  @Test
  void hugeNumbersAreRefusedQuickly() {
    long start = System.nanoTime();
    String digits = "9".repeat(1_000_000);
    assertThat(fixture.post("/v1/sandboxes", "{\"memory\":" + digits + "}").status())
        .isEqualTo(400);
    assertThat(fixture.post("/v1/sandboxes", "{\"cpus\":1e99999999}").status()).isEqualTo(400);
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(25));
  }

  @Test
  void manyKeysOfOneHashAreNoTrouble() {
    StringBuilder body = new StringBuilder("{\"env\":{");
    for (int i = 0; i < 1 << 14; i++) {
      body.append(i == 0 ? "" : ",").append('"');
      for (int bit = 0; bit < 14; bit++) {
        body.append((i >> bit & 1) == 0 ? "Aa" : "BB");
      }
      body.append("\":\"\"");
    }
    long start = System.nanoTime();
    assertThat(fixture.post("/v1/sandboxes", body.append("}}").toString()).status()).isEqualTo(400);
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(25));
  }

  @ParameterizedTest
  @ValueSource(strings = {"\\ud800", "\\udc00x", "x\\ud83d"})
  void halvesOfSurrogatePairsAreRefused(String half) {
    Answer answer = fixture.post("/v1/sandboxes/box/runs", "{\"code\":\"" + half + "\"}");
    assertThat(answer.status()).isEqualTo(400);
  }

  @Test
  void invalidUtf8IsRefused() {
    byte[] body = "{\"code\":\"?\"}".getBytes(StandardCharsets.US_ASCII);
    body[9] = (byte) 0xff;
    Answer answer =
        fixture.send(
            fixture
                .request("/v1/sandboxes/box/runs")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofByteArray(body)));
    assertThat(answer.code()).isEqualTo("invalid_json");
  }

  @Test
  void aBodyPastTheLimitIsRefusedBeforeItIsRead() throws Exception {
    String head =
        "POST /v1/sandboxes HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            + "Content-Length: 1073741824\r\n\r\n";
    assertThat(fixture.raw(head)).startsWith("HTTP/1.1 413").contains("body_too_large");
  }

  @Test
  void aBodyOfUnknownLengthIsCutAtTheLimit() throws Exception {
    try (SocketChannel channel = fixture.open()) {
      write(
          channel,
          "POST /v1/sandboxes HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
              + "Transfer-Encoding: chunked\r\n\r\n");
      String chunk = "100000\r\n" + " ".repeat(1 << 20) + "\r\n";
      try {
        for (int i = 0; i < 12; i++) {
          write(channel, chunk);
        }
      } catch (java.io.IOException _) {
        // The server has seen enough.
      }
      String answer = ServerFixture.readAll(channel, Duration.ofSeconds(4));
      assertThat(answer).matches("(?s)(HTTP/1.1 413.*)?");
    }
  }

  @Test
  void manyLargeBodiesAtOnceDoNotFillTheHeap() throws Exception {
    List<SocketChannel> senders = new ArrayList<>();
    String head =
        "POST /v1/sandboxes HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            + "Content-Length: 10000000\r\n\r\n";
    try {
      for (int i = 0; i < 8; i++) {
        SocketChannel sender = fixture.open();
        senders.add(sender);
        try {
          write(sender, head + " ".repeat(9_000_000));
        } catch (java.io.IOException _) {
          // Refused while it was sending.
        }
      }
      List<String> answers = new ArrayList<>();
      for (SocketChannel sender : senders) {
        answers.add(ServerFixture.readAll(sender, Duration.ofSeconds(4)));
      }
      assertThat(answers).anyMatch(answer -> answer.startsWith("HTTP/1.1 408"));
      assertThat(answers).noneMatch(answer -> answer.startsWith("HTTP/1.1 2"));
      assertThat(answers.stream().filter(answer -> !answer.startsWith("HTTP/1.1 408")))
          .as("refused for want of memory")
          .hasSizeGreaterThanOrEqualTo(3);
    } finally {
      for (SocketChannel sender : senders) {
        sender.close();
      }
    }
    String large = "{\"code\":\"" + "x".repeat(8_000_000) + "\"}";
    assertThat(fixture.post("/v1/sandboxes/box/runs", large).status()).isEqualTo(200);
  }

  @Test
  void headersPastTheLimitAreRefused() throws Exception {
    String answer =
        fixture.raw(
            "GET /v1/info HTTP/1.1\r\nHost: localhost\r\nX-Long: "
                + "a".repeat(20_000)
                + "\r\n\r\n");
    assertThat(answer).startsWith("HTTP/1.1 431");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nX",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding:\u000bchunked\r\n\r\n0\r\n\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}   X",
        "Content-Length: +2\r\n\r\n{}",
        "Content-Length: -1\r\n\r\n{}",
        "Content-Length: 2, 2\r\n\r\n{}",
        "X-A: b\r\n folded\r\nContent-Length: 2\r\n\r\n{}",
        "Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n",
        "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n",
        "Host: evil.example\r\nContent-Length: 2\r\n\r\n{}",
        "X-A: b\rX-B: c\r\nContent-Length: 2\r\n\r\n{}",
        "X-A: a\u0000b\r\nContent-Length: 2\r\n\r\n{}"
      })
  void requestsThatTwoParsersCouldReadDifferentlyAreRefused(String rest) throws Exception {
    String answer =
        fixture.raw(
            "POST /v1/sandboxes/box/start HTTP/1.1\r\nHost: localhost\r\n"
                + "Content-Type: application/json\r\n"
                + rest,
            Duration.ofSeconds(2));
    assertThat(answer).startsWith("HTTP/1.1 4");
    assertThat(answer.split("HTTP/1\\.1 ", -1)).as("answers").hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "//v1/info",
        "/v1//info",
        "/v1/./info",
        "/v1/x/../info",
        "/v1/%2e%2e/v1/info",
        "/v1/info/",
        "/v1/info;x=1",
        "/v1;x/info",
        "/v1%2finfo",
        "/V1/info",
        "/v1/info%00",
        "\\v1\\info"
      })
  void pathsAreTakenLiterally(String path) throws Exception {
    String answer =
        fixture.raw("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assertThat(answer).matches("(?s)HTTP/1.1 40[04].*").doesNotContain("runtimes");
  }

  @Test
  void upgradesAndTunnelsAreNotMade() throws Exception {
    assertThat(
            fixture.raw(
                "GET /v1/info HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\n"
                    + "Upgrade: websocket\r\n\r\n"))
        .startsWith("HTTP/1.1 200");
    assertThat(fixture.raw("CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\n\r\n"))
        .startsWith("HTTP/1.1 4");
    assertThat(
            fixture.raw("TRACE /v1/info HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
        .startsWith("HTTP/1.1 405");
  }

  @Test
  void headersThatTrickleInAreCutOff() throws Exception {
    long start = System.nanoTime();
    try (SocketChannel channel = fixture.open()) {
      write(channel, "GET /v1/info HTTP/1.1\r\n");
      try {
        for (int i = 0; i < 300; i++) {
          write(channel, "X-" + i + ": 1\r\n");
          Thread.sleep(200);
        }
      } catch (java.io.IOException _) {
        // Cut off, as it should be.
      }
      String answer = ServerFixture.readAll(channel, Duration.ofSeconds(1));
      assertThat(answer).matches("(?s)(HTTP/1.1 408.*request_timeout.*)?");
    }
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(30));
  }

  @Test
  void aBodyThatTricklesInIsCutOff() throws Exception {
    try (SocketChannel channel = fixture.open()) {
      write(
          channel,
          "POST /v1/sandboxes HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
              + "Content-Length: 1000\r\n\r\n{");
      String answer = ServerFixture.readAll(channel, Duration.ofSeconds(6));
      assertThat(answer).startsWith("HTTP/1.1 408").contains("request_timeout");
    }
  }

  @Test
  void idleConnectionsNeitherKeepTheAdministratorOutNorOthersForLong() throws Exception {
    List<SocketChannel> idle = new ArrayList<>();
    try {
      for (int i = 0; i < 2 * ServerFixture.QUICK.connections(); i++) {
        idle.add(fixture.open());
      }
      Thread.sleep(300);
      assertThat(fixture.overSocket("GET", "/v1/info", "")).contains("200 OK");
      try (SocketChannel late = fixture.open()) {
        write(late, "GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        assertThat(ServerFixture.readAll(late, Duration.ofSeconds(10))).contains("healthy");
      }
    } finally {
      for (SocketChannel channel : idle) {
        channel.close();
      }
    }
  }

  @Test
  void manyRequestsOnOneConnectionAreAnsweredInOrder() throws Exception {
    String one = "GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    String last = "GET /v1/nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    String answer = fixture.raw(one.repeat(20) + last);
    assertThat(answer.split("HTTP/1\\.1 200", -1)).hasSize(21);
    assertThat(answer).contains("HTTP/1.1 404");
  }

  private static void write(SocketChannel channel, String text) throws java.io.IOException {
    ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
