package dev.microsandbox;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/// Makes text of bytes that come in pieces. A character is kept whole across pieces; what is not
/// valid UTF-8 becomes U+FFFD.
final class OutputText {
  private final CharsetDecoder decoder =
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPLACE)
          .onUnmappableCharacter(CodingErrorAction.REPLACE);
  private byte[] pending = new byte[0];

  String add(byte[] bytes) {
    return decode(bytes, false);
  }

  /// What is still kept back, at the end of the output.
  String end() {
    return pending.length == 0 ? "" : decode(new byte[0], true);
  }

  private String decode(byte[] bytes, boolean last) {
    ByteBuffer in = ByteBuffer.allocate(pending.length + bytes.length);
    in.put(pending).put(bytes).flip();
    CharBuffer out = CharBuffer.allocate(in.remaining() + 1);
    decoder.reset();
    decoder.decode(in, out, last);
    pending = new byte[in.remaining()];
    in.get(pending);
    return out.flip().toString();
  }
}
