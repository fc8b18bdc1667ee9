package dev.microsandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class HttpReaderTest {
  @Test
  void bodyOfGivenLengthEndsThereAndLeavesTheRest() throws Exception {
    ByteArrayInputStream in =
        bytes("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 204 No Content\r\n\r\n");
    HttpReader reader = new HttpReader(in);
    assertThat(body(reader)).isEqualTo("abc");
    HttpReader.Head second = reader.readHead();
    assertThat(second.status()).isEqualTo(204);
    assertThat(reader.body(second).read()).isEqualTo(-1);
  }

  @Test
  void chunksAreJoinedAndTrailersPassedOver() throws Exception {
    HttpReader reader =
        new HttpReader(
            bytes(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\n"));
    assertThat(body(reader)).isEqualTo("abc0123456789");
  }

  @Test
  void connectionToBeClosedIsNotKept() throws Exception {
    HttpReader reader =
        new HttpReader(bytes("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end"));
    HttpReader.Head head = reader.readHead();
    assertThat(head.keepAlive()).isFalse();
    assertThat(reader.body(head).readAllBytes()).isEqualTo("to the end".getBytes());
  }

  @Test
  void bodyCutShortIsAnError() {
    HttpReader reader = new HttpReader(bytes("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"));
    assertThatThrownBy(() -> body(reader)).isInstanceOf(EOFException.class);
  }

  @Test
  void endlessLineIsAnError() {
    HttpReader reader = new HttpReader(bytes("HTTP/1.1 200 OK\r\nX: " + "a".repeat(20_000)));
    assertThatThrownBy(reader::readHead)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("endless line");
  }

  private static String body(HttpReader reader) throws IOException {
    return new String(reader.body(reader.readHead()).readAllBytes(), StandardCharsets.UTF_8);
  }

  private static ByteArrayInputStream bytes(String text) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
  }
}
