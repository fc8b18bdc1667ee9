package dev.microsandbox.agent;

import static dev.microsandbox.agent.BrokenRuleException.require;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;

/// Writes and reads frames: a header of 12 bytes, big-endian, and a payload.
final class Frames {
  static final int HEADER = 12;
  static final int MAX_PAYLOAD = 65_536;

  private static final int TYPE_AT = 4;
  private static final int FLAGS_AT = 5;
  private static final int RESERVED_AT = 6;
  private static final int LENGTH_AT = 8;

  private Frames() {}

  /// Takes the frames out of a buffer. The payload is valid during the call only.
  interface Sink {
    void frame(int stream, FrameType type, int flags, ByteBuffer payload)
        throws BrokenRuleException;
  }

  /// Reads the whole frames that a buffer begins with; a beginning of a further one is left in it,
  /// but its header has been checked where it is complete.
  static void read(ByteBuffer in, Sink sink) throws BrokenRuleException {
    while (in.remaining() >= HEADER) {
      int start = in.position();
      FrameType type = FrameType.of(in.get(start + TYPE_AT));
      int flags = in.get(start + FLAGS_AT) & 0xff;
      int length = in.getInt(start + LENGTH_AT);
      check(type, flags, in.getShort(start + RESERVED_AT), length);
      if (in.remaining() < HEADER + length) {
        return;
      }
      in.position(start + HEADER + length);
      sink.frame(in.getInt(start), type, flags, in.slice(start + HEADER, length));
    }
  }

  private static void check(FrameType type, int flags, short reserved, int length)
      throws BrokenRuleException {
    require(
        length >= 0 && length <= MAX_PAYLOAD,
        "payload of " + Integer.toUnsignedString(length) + " bytes");
    require(reserved == 0, "reserved bytes are set");
    require(flags == 0 || (type == FrameType.DATA && flags == 1), type + " with flags " + flags);
    require(type != FrameType.DATA || length > 0, "DATA without bytes");
    require(type != FrameType.END || length == 0, "END with a payload");
  }

  /// A frame that carries a message.
  ///
  /// @throws SandboxException `invalid_request` when it is too large to be sent
  static ByteBuffer of(int stream, FrameType type, MessageLite message) {
    int size = message.getSerializedSize();
    if (size > MAX_PAYLOAD) {
      throw new SandboxException(
          ErrorCode.INVALID_REQUEST,
          "what is to be sent to the sandbox is too large; arguments, environment and names must"
              + " together stay below 60 KiB");
    }
    ByteBuffer frame = ByteBuffer.allocate(HEADER + size);
    putHeader(frame, stream, type, 0, size);
    try {
      CodedOutputStream out = CodedOutputStream.newInstance(frame.array(), HEADER, size);
      message.writeTo(out);
      out.checkNoSpaceLeft();
    } catch (IOException e) {
      throw new UncheckedIOException(e); // it was measured just now
    }
    return frame.rewind();
  }

  /// A frame without payload.
  static ByteBuffer end(int stream) {
    ByteBuffer frame = ByteBuffer.allocate(HEADER);
    putHeader(frame, stream, FrameType.END, 0, 0);
    return frame.rewind();
  }

  /// The header of a DATA frame, whose payload is to follow.
  static ByteBuffer dataHeader(int stream, int length) {
    ByteBuffer frame = ByteBuffer.allocate(HEADER);
    putHeader(frame, stream, FrameType.DATA, 0, length);
    return frame.rewind();
  }

  static void putHeader(ByteBuffer to, int stream, FrameType type, int flags, int length) {
    to.putInt(stream).put(type.number()).put((byte) flags).putShort((short) 0).putInt(length);
  }

  /// Reads a payload's message.
  static <T> T parse(Parser<T> parser, ByteBuffer payload) throws BrokenRuleException {
    byte[] bytes = new byte[payload.remaining()];
    payload.get(bytes);
    try {
      return parser.parseFrom(bytes);
    } catch (InvalidProtocolBufferException _) {
      throw new BrokenRuleException("a payload that is no message of the contract");
    }
  }
}
