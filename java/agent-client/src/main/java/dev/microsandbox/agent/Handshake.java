package dev.microsandbox.agent;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;

/// The start of a connection: the host sends a magic number and a nonce, and discards what comes
/// until the agent has sent both back.
final class Handshake {
  static final int PREAMBLE = 24;
  private static final byte[] MAGIC = "MSBCHAN1".getBytes(StandardCharsets.US_ASCII);
  private static final int MAX_DISCARDED = 1 << 20;
  private static final SecureRandom RANDOM = new SecureRandom();

  private final byte[] expected = new byte[PREAMBLE];
  private int discarded;

  Handshake() {
    RANDOM.nextBytes(expected);
    System.arraycopy(MAGIC, 0, expected, 0, MAGIC.length);
  }

  ByteBuffer preamble() {
    return ByteBuffer.wrap(expected.clone());
  }

  /// Discards what precedes the answer, and the answer with it; says whether it has come. Where it
  /// has not, the last bytes are left in the buffer, as they may be its beginning.
  boolean isAnswered(ByteBuffer in) throws BrokenRuleException {
    while (in.remaining() >= PREAMBLE) {
      if (startsHere(in)) {
        in.position(in.position() + PREAMBLE);
        return true;
      }
      in.position(in.position() + 1);
      discarded++;
      BrokenRuleException.require(
          discarded <= MAX_DISCARDED, "more than 1 MiB before the answer to the preamble");
    }
    return false;
  }

  private boolean startsHere(ByteBuffer in) {
    int at = in.position();
    for (int i = 0; i < PREAMBLE; i++) {
      if (in.get(at + i) != expected[i]) {
        return false;
      }
    }
    return true;
  }
}
