package dev.microsandbox.agent;

import static dev.microsandbox.agent.BrokenRuleException.require;

import com.google.protobuf.MessageLite;
import dev.microsandbox.agent.wire.AgentControl;
import dev.microsandbox.agent.wire.AgentOpen;
import dev.microsandbox.agent.wire.Credit;
import dev.microsandbox.agent.wire.Opened;
import dev.microsandbox.agent.wire.Reset;
import dev.microsandbox.agent.wire.StreamEvent;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/// One connection's frames and streams, by the rules of `spec/channel.md`.
///
/// One lock guards everything; no listener is ever called with it held. Frames are read by the
/// loop's thread alone and sent by whoever has something to send.
final class Channel {
  private static final int MAX_STREAMS = 4_096;
  private static final int READS_IN_A_ROW = 4;

  /// What the system holds for an agent; it makes twice as much of it, or grants less. With less
  /// the two take turns more often while a file is carried.
  private static final int SOCKET_BUFFER = 256 * 1024;

  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  /// What the channel does not do itself. Called by the loop's thread, without the lock.
  interface Owner {
    /// The first message decides whether the connection stands.
    void control(AgentControl message) throws BrokenRuleException;

    /// The agent wants a stream of its own.
    OutboundConnection outbound(int number, AgentOpen open) throws BrokenRuleException;

    /// The connection is over, after all streams were told.
    void ended(ChannelEnd end);
  }

  private final SelectorLoop loop;
  private final SocketChannel socket;
  private final Owner owner;
  private final Handshake handshake = new Handshake();
  private final SendQueue out;
  private final CreditPool pool = new CreditPool();
  private final Map<Integer, ChannelStream> streams = new HashMap<>();
  private int nextStream = 1;
  private @Nullable SelectionKey key;
  private @Nullable ChannelEnd end;

  // Of the loop's thread alone.
  private ByteBuffer rest = NOTHING;
  private boolean answered;
  private long lastOfAgent;
  private volatile long framesRead;

  Channel(SelectorLoop loop, SocketChannel socket, Owner owner) {
    this.loop = loop;
    this.socket = socket;
    this.owner = owner;
    this.out = new SendQueue(socket);
  }

  SelectorLoop loop() {
    return loop;
  }

  CreditPool pool() {
    return pool;
  }

  /// How many frames have come so far: whether the agent is alive, for those who wait.
  long framesRead() {
    return framesRead;
  }

  /// Begins: from now on the owner is called.
  void start() {
    loop.execute(() -> {
      try {
        socket.configureBlocking(false);
        socket.setOption(StandardSocketOptions.SO_SNDBUF, SOCKET_BUFFER);
        key = loop.register(socket, SelectionKey.OP_READ, this::ready);
        synchronized (this) {
          out.sendControl(handshake.preamble());
          watchForRoom();
        }
      } catch (IOException e) {
        end(new ChannelEnd(ChannelEnd.Cause.LOST, "the connection broke at its start"));
      }
    });
  }

  /// Ends the connection; the first reason counts. Streams and owner are told by the loop's thread.
  void end(ChannelEnd reason) {
    synchronized (this) {
      if (end != null) {
        return;
      }
      end = reason;
      notifyAll();
    }
    // Later even on the loop's own thread, where a listener may be in the middle of something.
    loop.execute(() -> tearDown(reason));
  }

  synchronized @Nullable ChannelEnd ended() {
    return end;
  }

  // ---- sending

  /// Sends a message on stream 0; without effect when the channel is over.
  synchronized void sendControl(MessageLite message) {
    ByteBuffer frame = Frames.of(0, FrameType.CONTROL, message);
    attempt(() -> out.sendControl(frame));
  }

  /// How many bytes wait because the agent does not read.
  synchronized long backlog() {
    return out.queuedBytes();
  }

  /// Opens a stream of the host's: `make` gets its number, `message` is sent once it exists.
  synchronized <S extends ChannelStream> S open(
      IntFunction<S> make, Function<S, MessageLite> message) {
    if (end != null) {
      throw lost(end);
    }
    if (streams.size() >= MAX_STREAMS) {
      throw new SandboxException(
          ErrorCode.TOO_MANY_PROCESSES,
          "too many runs and commands at once in this sandbox; wait for some to end");
    }
    S stream = make.apply(nextStream);
    ByteBuffer frame;
    try {
      frame = Frames.of(nextStream, FrameType.OPEN, message.apply(stream));
    } catch (SandboxException e) {
      stream.closed = true;
      stream.window.close();
      throw e;
    }
    streams.put(nextStream, stream);
    nextStream += 2;
    send(stream, frame);
    return stream;
  }

  void send(ChannelStream stream, ByteBuffer frame) {
    attempt(() -> out.send(stream.outbox, frame));
  }

  int sendData(ChannelStream stream, ByteBuffer bytes, int limit) {
    int before = bytes.position();
    attempt(() -> out.sendData(stream.outbox, stream.number, bytes, limit));
    return bytes.position() - before;
  }

  int sendDataAtOnce(ChannelStream stream, ByteBuffer bytes, int limit) {
    int before = bytes.position();
    attempt(() -> out.sendDataAtOnce(stream.outbox, stream.number, bytes, limit));
    return bytes.position() - before;
  }

  void notifyOfRoom(ChannelStream stream) {
    out.notifyOfRoom(stream);
  }

  /// Removes a stream with what it still had to send.
  void forget(ChannelStream stream) {
    out.drop(stream);
    remove(stream);
  }

  /// Removes a stream whose last frames are still to be sent.
  void remove(ChannelStream stream) {
    streams.remove(stream.number, stream);
    notifyAll();
  }

  static SandboxException lost(ChannelEnd end) {
    return new SandboxException(
        ErrorCode.AGENT_LOST,
        end.cause() == ChannelEnd.Cause.CLOSED
            ? "the connection to the sandbox was closed"
            : "the sandbox's agent is gone or breaks its protocol; create another sandbox");
  }

  private interface Sending {
    void run() throws IOException;
  }

  private void attempt(Sending sending) {
    // Past the bound the channel is about to end, by the loop; callers may be quicker than that.
    if (end != null || out.queuedBytes() > SendQueue.MAX_BACKLOG) {
      return;
    }
    try {
      sending.run();
      watchForRoom();
    } catch (IOException e) {
      // Not at once: the caller holds the lock, and those to be told must not.
      loop.execute(() -> end(new ChannelEnd(ChannelEnd.Cause.LOST, "the agent has hung up")));
    }
    if (out.queuedBytes() > SendQueue.MAX_BACKLOG) {
      loop.execute(
          () -> end(new ChannelEnd(ChannelEnd.Cause.RULE_BROKEN, "the agent does not read")));
    }
  }

  private void watchForRoom() {
    SelectionKey watched = key;
    if (watched == null || !watched.isValid()) {
      return;
    }
    int wanted = SelectionKey.OP_READ | (out.isEmpty() ? 0 : SelectionKey.OP_WRITE);
    if (watched.interestOps() != wanted) {
      watched.interestOps(wanted);
      loop.execute(() -> {}); // the selector sees the change at its next round
    }
  }

  // ---- receiving, on the loop's thread

  private void ready(SelectionKey ready) {
    try {
      if (ready.isWritable()) {
        flush();
      }
      if (ready.isValid() && ready.isReadable()) {
        read();
      }
    } catch (BrokenRuleException e) {
      end(new ChannelEnd(ChannelEnd.Cause.RULE_BROKEN, AgentText.forLog(e.message())));
    } catch (IOException e) {
      end(new ChannelEnd(ChannelEnd.Cause.LOST, "the connection broke"));
    } catch (RuntimeException | Error e) {
      end(new ChannelEnd(ChannelEnd.Cause.CLOSED, "a bug in this end of the channel: " + e));
      throw e;
    }
  }

  private void flush() throws IOException {
    List<ChannelStream> withRoom;
    synchronized (this) {
      out.flush();
      watchForRoom();
      withRoom = out.takeThoseWithRoom();
    }
    withRoom.forEach(this::tellWritable);
  }

  private void tellWritable(ChannelStream stream) {
    guarded(stream, stream::onWritable);
  }

  private void read() throws IOException, BrokenRuleException {
    for (int i = 0; i < READS_IN_A_ROW && socket.isOpen(); i++) {
      ByteBuffer in = loop.scratch().put(rest);
      rest = NOTHING;
      int count = socket.read(in);
      boolean more = !in.hasRemaining();
      in.flip();
      consume(in);
      if (in.hasRemaining()) {
        rest = ByteBuffer.allocate(in.remaining()).put(in).flip();
      }
      if (count < 0) {
        end(new ChannelEnd(ChannelEnd.Cause.LOST, "the agent has hung up"));
        return;
      }
      if (!more) {
        return;
      }
    }
  }

  private void consume(ByteBuffer in) throws BrokenRuleException {
    if (!answered) {
      answered = handshake.isAnswered(in);
    }
    if (answered) {
      Frames.read(in, this::frame);
    }
  }

  private void frame(int number, FrameType type, int flags, ByteBuffer payload)
      throws BrokenRuleException {
    if (ended() != null) {
      return; // a listener of an earlier frame has closed the channel
    }
    framesRead++;
    require((number == 0) == (type == FrameType.CONTROL), type + " on stream " + number);
    switch (type) {
      case CONTROL -> owner.control(Frames.parse(AgentControl.parser(), payload));
      case OPEN -> outbound(number, Frames.parse(AgentOpen.parser(), payload));
      case OPENED, DATA, EVENT, CREDIT, END, RESET -> onStream(number, type, flags, payload);
    }
  }

  private void outbound(int number, AgentOpen open) throws BrokenRuleException {
    long unsigned = Integer.toUnsignedLong(number);
    require(unsigned % 2 == 0 && unsigned > lastOfAgent, "OPEN of a used or wrong-sided stream id");
    lastOfAgent = unsigned;
    synchronized (this) {
      require(streams.size() < MAX_STREAMS, "more than 4,096 streams");
    }
    OutboundConnection stream = owner.outbound(number, open);
    synchronized (this) {
      streams.put(number, stream);
    }
    guarded(stream, stream::begin);
  }

  private void onStream(int number, FrameType type, int flags, ByteBuffer payload)
      throws BrokenRuleException {
    ChannelStream stream;
    synchronized (this) {
      stream = streams.get(number);
    }
    if (stream == null) {
      return; // closed by this end, or never known
    }
    guarded(
        stream,
        () -> {
          switch (type) {
            case OPENED -> stream.onOpened(Frames.parse(Opened.parser(), payload));
            case DATA -> stream.onData(flags, payload);
            case EVENT -> stream.onEvent(Frames.parse(StreamEvent.parser(), payload));
            case CREDIT -> credit(stream, Frames.parse(Credit.parser(), payload));
            case END -> stream.onEnd();
            case RESET -> stream.onReset(Frames.parse(Reset.parser(), payload));
            case CONTROL, OPEN -> throw new IllegalStateException("not of a stream: " + type);
          }
        });
  }

  private void credit(ChannelStream stream, Credit credit) throws BrokenRuleException {
    synchronized (this) {
      stream.addCredit(credit.getBytes());
      notifyAll();
    }
    stream.onWritable();
  }

  private interface Telling<E extends Exception> {
    void run() throws E;
  }

  /// Calls into a listener's code, whose failure ends its own stream and nothing else.
  private <E extends Exception> void guarded(ChannelStream stream, Telling<E> telling) throws E {
    try {
      telling.run();
    } catch (RuntimeException | Error e) {
      System.getLogger(Channel.class.getName())
          .log(System.Logger.Level.WARNING, "a stream is closed since its listener failed", e);
      try {
        stream.onListenerFailed();
      } catch (RuntimeException | Error again) {
        e.addSuppressed(again);
      }
    }
  }

  private void tearDown(ChannelEnd reason) {
    try {
      socket.close();
    } catch (IOException e) {
      System.getLogger(Channel.class.getName())
          .log(System.Logger.Level.DEBUG, "a channel was not closed cleanly", e);
    }
    List<ChannelStream> open;
    synchronized (this) {
      open = new ArrayList<>(streams.values());
      streams.clear();
      open.forEach(stream -> stream.closed = true);
      notifyAll();
    }
    open.forEach(stream -> guarded(stream, () -> stream.onChannelEnded(reason)));
    owner.ended(reason);
  }
}
