package dev.microsandbox.agent;

import static dev.microsandbox.agent.BrokenRuleException.require;

import dev.microsandbox.agent.wire.AgentOpen;
import dev.microsandbox.agent.wire.Opened;
import dev.microsandbox.agent.wire.Reset;
import dev.microsandbox.agent.wire.ResetReason;
import dev.microsandbox.agent.wire.StreamEvent;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// A connection that a program in the sandbox makes, seen from the host.
final class OutboundConnection extends ChannelStream implements OutboundStream {
  private static final int MAX_PORT = 65_535;

  private final OutboundHandler handler;
  private final InetAddress address;
  private final int port;

  // Guarded by the channel's lock.
  private @Nullable Receiver receiver;
  private boolean wantsRoom;

  OutboundConnection(Channel channel, int number, AgentOpen open, OutboundHandler handler)
      throws BrokenRuleException {
    super(channel, number);
    require(open.hasConnect(), "OPEN of an unknown kind");
    this.handler = handler;
    this.address = AgentWords.address(open.getConnect().getAddress());
    this.port = open.getConnect().getPort();
    require(port >= 0 && port <= MAX_PORT, "port " + port);
    addInitialCredit(open.getWindow());
  }

  /// Asks the handler.
  void begin() {
    if (port == 0) {
      refuse(Refusal.REFUSED);
    } else {
      handler.onConnect(address, port, this);
    }
  }

  @Override
  public void accept(Receiver to, int bytes) {
    synchronized (channel) {
      if (!closed) {
        receiver = to;
        open = true;
        Opened opened = Opened.newBuilder().setWindow(window.open(bytes)).build();
        channel.send(this, Frames.of(number, FrameType.OPENED, opened));
        return;
      }
    }
    channel.loop().execute(to::onReset); // the program has given up meanwhile
  }

  @Override
  public void refuse(Refusal reason) {
    synchronized (channel) {
      sendReset(
          switch (reason) {
            case REFUSED -> ResetReason.RESET_REASON_REFUSED;
            case DENIED -> ResetReason.RESET_REASON_DENIED;
            case UNREACHABLE -> ResetReason.RESET_REASON_UNREACHABLE;
            case TIMED_OUT -> ResetReason.RESET_REASON_TIMED_OUT;
            case LIMIT -> ResetReason.RESET_REASON_LIMIT;
          });
    }
  }

  @Override
  public int write(ByteBuffer bytes) {
    synchronized (channel) {
      int taken = send(bytes);
      wantsRoom = bytes.hasRemaining();
      return taken;
    }
  }

  @Override
  public void end() {
    synchronized (channel) {
      sendEnd();
    }
  }

  @Override
  public void reset() {
    synchronized (channel) {
      sendReset(ResetReason.RESET_REASON_BROKEN);
    }
  }

  @Override
  public void grant(int bytes) {
    synchronized (channel) {
      window.grant(bytes);
    }
  }

  @Override
  void onOpened(Opened opened) throws BrokenRuleException {
    throw new BrokenRuleException("OPENED of a stream that the agent has opened");
  }

  @Override
  void onData(int flags, ByteBuffer bytes) throws BrokenRuleException {
    require(flags == 0, "DATA of a connection with flags");
    Receiver to;
    synchronized (channel) {
      checkReceiving(bytes.remaining());
      to = receiver;
    }
    if (to != null) {
      to.onData(bytes.asReadOnlyBuffer());
    }
  }

  @Override
  void onEvent(StreamEvent event) throws BrokenRuleException {
    throw new BrokenRuleException("EVENT on a connection");
  }

  @Override
  void onEnd() throws BrokenRuleException {
    Receiver to;
    synchronized (channel) {
      checkEnd();
      to = receiver;
    }
    if (to != null) {
      to.onEnd();
    }
  }

  @Override
  void onReset(Reset reset) {
    synchronized (channel) {
      forget();
    }
    tellReset();
  }

  @Override
  void onWritable() {
    Receiver to;
    synchronized (channel) {
      to = wantsRoom && canSend() ? receiver : null;
      wantsRoom = wantsRoom && to == null;
    }
    if (to != null) {
      to.onWritable();
    }
  }

  @Override
  void onChannelEnded(ChannelEnd end) {
    tellReset();
  }

  @Override
  void onListenerFailed() {
    synchronized (channel) {
      sendReset(ResetReason.RESET_REASON_FAILED);
    }
  }

  private void tellReset() {
    Receiver to;
    synchronized (channel) {
      to = receiver;
    }
    if (to != null) {
      to.onReset();
    }
  }
}
