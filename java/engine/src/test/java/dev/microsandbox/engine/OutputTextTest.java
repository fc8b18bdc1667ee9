package dev.microsandbox.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OutputTextTest {
  private static void append(OutputText text, String more) {
    text.append(ByteBuffer.wrap(more.getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void whatFitsIsKeptAsItIs() {
    OutputText text = new OutputText(10);
    append(text, "12345");
    append(text, "67890");
    assertThat(text.text()).isEqualTo(new RunResult.CollectedText("1234567890", 0));
  }

  @Test
  void theMiddleIsLeftOutAndCounted() {
    OutputText text = new OutputText(10);
    append(text, "12345");
    append(text, "abc");
    append(text, "67890");
    assertThat(text.text())
        .isEqualTo(new RunResult.CollectedText("12345\n… 3 bytes left out …\n67890", 3));
  }

  @Test
  void whatIsNotUtf8IsReplaced() {
    OutputText text = new OutputText(10);
    text.append(ByteBuffer.wrap(new byte[] {'a', (byte) 0xff, 'b', 0}));
    assertThat(text.text().text()).isEqualTo("a\uFFFDb\0");
  }

  @Test
  void aCharacterIsNeverCutInHalf() {
    OutputText text = new OutputText(10);
    append(text, "1234€abcdefgh€xyz");
    assertThat(text.text().text()).isEqualTo("1234\n… 14 bytes left out …\nxyz");
  }

  @Test
  void aLimitOfNothingKeepsNothing() {
    OutputText text = new OutputText(0);
    append(text, "abc");
    assertThat(text.text().leftOut()).isEqualTo(3);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void anyWayOfWritingGivesTheSameText(long seed) {
    Random random = new Random(seed);
    int limit = 1 + random.nextInt(3000);
    int size = random.nextInt(20_000);
    byte[] all = new byte[size];
    for (int i = 0; i < size; i++) {
      all[i] = (byte) ('a' + random.nextInt(26));
    }
    OutputText text = new OutputText(limit);
    int at = 0;
    while (at < size) {
      int part = Math.min(size - at, random.nextInt(random.nextBoolean() ? 10 : 5000));
      text.append(ByteBuffer.wrap(all, at, part));
      at += part;
    }
    String whole = new String(all, StandardCharsets.US_ASCII);
    int head = limit - limit / 2;
    String expected =
        size <= limit
            ? whole
            : whole.substring(0, head)
                + "\n… "
                + (size - limit)
                + " bytes left out …\n"
                + whole.substring(size - limit / 2);
    assertThat(text.text().text()).isEqualTo(expected);
  }
}
