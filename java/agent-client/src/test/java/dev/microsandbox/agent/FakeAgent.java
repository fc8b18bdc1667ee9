package dev.microsandbox.agent;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import dev.microsandbox.agent.wire.AgentControl;
import dev.microsandbox.agent.wire.Finished;
import dev.microsandbox.agent.wire.Hello;
import dev.microsandbox.agent.wire.HostControl;
import dev.microsandbox.agent.wire.HostOpen;
import dev.microsandbox.agent.wire.Opened;
import dev.microsandbox.agent.wire.Outcome;
import dev.microsandbox.agent.wire.Started;
import dev.microsandbox.agent.wire.StreamEvent;
import dev.microsandbox.model.SandboxId;
import java.io.EOFException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

/// An agent's end of a channel for tests, as polite or as rude as they want: it speaks frames over
/// a real socket, blocking, and does nothing of its own accord.
public final class FakeAgent implements AutoCloseable {
  private final SocketChannel socket;

  private FakeAgent(SocketChannel socket) {
    this.socket = socket;
  }

  /// A frame that has come from the host.
  public record Frame(int stream, FrameType type, int flags, byte[] payload) {
    public HostControl control() {
      return parsed(HostControl.parser());
    }

    public HostOpen open() {
      return parsed(HostOpen.parser());
    }

    public <T> T parsed(com.google.protobuf.Parser<T> parser) {
      try {
        return parser.parseFrom(payload);
      } catch (IOException e) {
        throw new AssertionError("the host has sent a broken message", e);
      }
    }
  }

  /// Connects, and says nothing yet.
  public static FakeAgent dial(Path socket) throws IOException {
    return new FakeAgent(SocketChannel.open(UnixDomainSocketAddress.of(socket)));
  }

  /// Connects and greets, up to the host's welcome.
  public static FakeAgent connect(Path socket, SandboxId sandbox) throws IOException {
    FakeAgent agent = dial(socket);
    agent.greet();
    agent.hello(sandbox);
    agent.receive();
    return agent;
  }

  /// Answers the host's preamble.
  public void greet() throws IOException {
    raw(readFully(24));
  }

  public void hello(SandboxId sandbox) throws IOException {
    control(AgentControl.newBuilder().setHello(helloOf(sandbox)));
  }

  public static Hello.Builder helloOf(SandboxId sandbox) {
    return Hello.newBuilder()
        .setVersion(1)
        .setSandboxId(sandbox.value())
        .setBootId(ByteString.copyFrom(new byte[16]))
        .setAgentVersion("fake");
  }

  /// Sends bytes as they are.
  public void raw(byte[] bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) {
      socket.write(buffer);
    }
  }

  public void frame(int stream, FrameType type, int flags, byte[] payload) throws IOException {
    ByteBuffer frame = ByteBuffer.allocate(Frames.HEADER + payload.length);
    Frames.putHeader(frame, stream, type, flags, payload.length);
    raw(frame.put(payload).array());
  }

  public void frame(int stream, FrameType type, MessageLite message) throws IOException {
    frame(stream, type, 0, message.toByteArray());
  }

  public void control(AgentControl.Builder message) throws IOException {
    frame(0, FrameType.CONTROL, message.build());
  }

  public void opened(int stream, int window) throws IOException {
    frame(stream, FrameType.OPENED, Opened.newBuilder().setWindow(window).build());
  }

  public void started(int stream, int pid) throws IOException {
    event(stream, StreamEvent.newBuilder().setStarted(Started.newBuilder().setPid(pid)));
  }

  public void data(int stream, int lane, byte[] bytes) throws IOException {
    frame(stream, FrameType.DATA, lane, bytes);
  }

  public void event(int stream, StreamEvent.Builder event) throws IOException {
    frame(stream, FrameType.EVENT, event.build());
  }

  /// Sends Finished and END.
  public void finish(int stream, Outcome outcome, int exitCode) throws IOException {
    Finished.Builder end = Finished.newBuilder().setOutcome(outcome).setExitCode(exitCode);
    event(stream, StreamEvent.newBuilder().setFinished(end));
    frame(stream, FrameType.END, 0, new byte[0]);
  }

  /// The host's next frame.
  ///
  /// @throws EOFException when the host has closed the channel
  public Frame receive() throws IOException {
    ByteBuffer header = ByteBuffer.wrap(readFully(Frames.HEADER));
    FrameType type;
    try {
      type = FrameType.of(header.get(4));
    } catch (BrokenRuleException e) {
      throw new AssertionError("the host has sent a broken frame", e);
    }
    return new Frame(header.getInt(0), type, header.get(5) & 0xff, readFully(header.getInt(8)));
  }

  /// The host's next frame of this type; others are passed over.
  public Frame receive(FrameType type) throws IOException {
    Frame frame = receive();
    while (frame.type() != type) {
      frame = receive();
    }
    return frame;
  }

  /// Reads, and forgets, until the host has closed the channel.
  public void awaitClosed() throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(1 << 16);
    while (socket.read(bytes.clear()) >= 0) {
      // on to the end
    }
  }

  private byte[] readFully(int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length);
    while (bytes.hasRemaining()) {
      if (socket.read(bytes) < 0) {
        throw new EOFException("the host has closed the channel");
      }
    }
    return bytes.array();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
