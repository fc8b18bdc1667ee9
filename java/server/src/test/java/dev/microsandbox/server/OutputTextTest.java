package dev.microsandbox.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class OutputTextTest {
  @Test
  void anyCutsGiveTheTextOfTheWhole() {
    Random random = new Random(42);
    for (int round = 0; round < 2000; round++) {
      byte[] bytes = bytes(random);
      OutputText decoder = new OutputText();
      StringBuilder text = new StringBuilder();
      for (int at = 0; at < bytes.length; ) {
        int length = Math.min(bytes.length - at, 1 + random.nextInt(4));
        text.append(decoder.add(java.util.Arrays.copyOfRange(bytes, at, at + length)));
        assertThat(decoder.pending()).isLessThan(4);
        at += length;
      }
      text.append(decoder.end());
      assertThat(text.toString()).isEqualTo(new String(bytes, StandardCharsets.UTF_8));
    }
  }

  private static byte[] bytes(Random random) {
    if (random.nextBoolean()) {
      byte[] noise = new byte[random.nextInt(40)];
      random.nextBytes(noise);
      return noise;
    }
    return "aé中\ud83d\ude00".repeat(random.nextInt(8)).getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void anOutputPastItsLimitKeepsBothEnds() {
    KeptOutput kept = new KeptOutput(100);
    kept.add("A".repeat(60).getBytes(StandardCharsets.UTF_8));
    for (int i = 0; i < 1000; i++) {
      kept.add("-".repeat(100).getBytes(StandardCharsets.UTF_8));
    }
    kept.add("Z".repeat(60).getBytes(StandardCharsets.UTF_8));
    var collected = kept.collected();
    assertThat(collected.leftOut()).isEqualTo(60 + 100_000 + 60 - 100);
    assertThat(collected.text())
        .isEqualTo("A".repeat(50) + "\n… 100020 bytes left out …\n" + "Z".repeat(50));
  }

  @Test
  void anOutputWithinItsLimitIsWhole() {
    KeptOutput kept = new KeptOutput(100);
    kept.add("a".repeat(70).getBytes(StandardCharsets.UTF_8));
    kept.add("b".repeat(30).getBytes(StandardCharsets.UTF_8));
    assertThat(kept.collected().text()).isEqualTo("a".repeat(70) + "b".repeat(30));
    assertThat(kept.collected().truncated()).isFalse();
  }
}
