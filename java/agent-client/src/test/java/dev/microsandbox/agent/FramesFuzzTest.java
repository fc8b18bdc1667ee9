package dev.microsandbox.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Random bytes, and good frames with random damage, from fixed seeds.
class FramesFuzzTest {
  @Test
  void randomBytesAreReadOrRefusedAndNothingElse() {
    for (int seed = 0; seed < 20_000; seed++) {
      Random random = new Random(seed);
      byte[] bytes = new byte[random.nextInt(300)];
      random.nextBytes(bytes);
      read(bytes);
    }
  }

  @Test
  void damagedFramesAreReadOrRefusedAndNothingElse() {
    for (int seed = 0; seed < 50_000; seed++) {
      Random random = new Random(seed);
      byte[] bytes = frames(random);
      for (int damages = random.nextInt(4); damages > 0; damages--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
      }
      read(bytes);
    }
  }

  private static byte[] frames(Random random) {
    ByteBuffer out = ByteBuffer.allocate(2_000);
    for (int i = 0; i < 5; i++) {
      FrameType type = FrameType.values()[random.nextInt(8)];
      int length = type == FrameType.END ? 0 : 1 + random.nextInt(100);
      Frames.putHeader(out, random.nextInt(8), type, 0, length);
      out.position(out.position() + length);
    }
    byte[] bytes = new byte[out.flip().remaining()];
    out.get(bytes);
    return bytes;
  }

  private static void read(byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    int[] payloads = {0};
    try {
      Frames.read(in, (_, _, _, payload) -> payloads[0] += Frames.HEADER + payload.remaining());
      assertThat(payloads[0] + in.remaining()).isEqualTo(bytes.length);
    } catch (BrokenRuleException e) {
      assertThat(e.message()).isNotBlank();
    }
  }
}
