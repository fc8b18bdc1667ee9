package dev.microsandbox.agent;

import static dev.microsandbox.agent.BrokenRuleException.require;

import dev.microsandbox.agent.wire.Credit;
import dev.microsandbox.agent.wire.Opened;
import dev.microsandbox.agent.wire.Reset;
import dev.microsandbox.agent.wire.ResetReason;
import dev.microsandbox.agent.wire.StreamEvent;
import java.nio.ByteBuffer;

/// One stream of a channel: its credit in both directions and what it has seen of its end.
///
/// The methods whose names begin with `on` are called by the thread that reads the channel, without
/// its lock; they note what has happened under the lock and tell their listener after it.
abstract sealed class ChannelStream
    permits ObjectView, OutboundConnection, DownloadStream, UploadStream {
  final Channel channel;
  final int number;
  final SendQueue.Outbox outbox = new SendQueue.Outbox();
  final ReceiveWindow window;

  // Guarded by the channel's lock.
  boolean open;
  boolean closed;
  private int credit;
  private boolean endSent;
  private boolean endReceived;

  ChannelStream(Channel channel, int number) {
    this.channel = channel;
    this.number = number;
    this.window = new ReceiveWindow(channel.pool(), this::sendCredit);
  }

  abstract void onOpened(Opened opened) throws BrokenRuleException;

  abstract void onData(int flags, ByteBuffer bytes) throws BrokenRuleException;

  abstract void onEvent(StreamEvent event) throws BrokenRuleException;

  abstract void onEnd() throws BrokenRuleException;

  abstract void onReset(Reset reset);

  /// There is room, or credit, after a write that did not take all.
  abstract void onWritable();

  abstract void onChannelEnded(ChannelEnd end);

  /// Called where a listener threw: the stream is of no use any more.
  abstract void onListenerFailed();

  // ---- for subclasses; all need the channel's lock

  final void addCredit(int bytes) throws BrokenRuleException {
    require(bytes >= 0 && bytes <= ReceiveWindow.MAX - credit, "a window beyond 1 MiB");
    credit += bytes;
  }

  final void addInitialCredit(int bytes) throws BrokenRuleException {
    require(
        bytes >= 0 && bytes <= ReceiveWindow.MAX_INITIAL, "a stream begun with more than 256 KiB");
    addCredit(bytes);
  }

  final void checkReceiving(int bytes) throws BrokenRuleException {
    require(open, "DATA before OPENED");
    require(!endReceived, "DATA after END");
    window.received(bytes);
  }

  final void checkEnd() throws BrokenRuleException {
    require(open, "END before OPENED");
    require(!endReceived, "END twice");
    endReceived = true;
    closeIfBothEnded();
  }

  /// Sends what credit and the outbox allow; whoever gets less than all is told when there is room.
  final int send(ByteBuffer bytes) {
    if (closed || endSent || !open) {
      return 0;
    }
    int wanted = bytes.remaining();
    int taken = channel.sendData(this, bytes, Math.min(wanted, credit));
    credit -= taken;
    if (taken < wanted && credit > 0) {
      channel.notifyOfRoom(this);
    }
    return taken;
  }

  /// Sends what credit allows and the socket takes at once, and nothing where others wait for it.
  final int sendAtOnce(ByteBuffer bytes) {
    if (!canSend()) {
      return 0;
    }
    int wanted = bytes.remaining();
    int taken = channel.sendDataAtOnce(this, bytes, Math.min(wanted, credit));
    credit -= taken;
    if (taken < wanted && credit > 0) {
      channel.notifyOfRoom(this);
    }
    return taken;
  }

  final void sendEnd() {
    if (!closed && !endSent) {
      endSent = true;
      channel.send(this, Frames.end(number));
      closeIfBothEnded();
    }
  }

  /// Answers the other end's END, after which nothing more comes on the stream.
  final void answerEnd() {
    if (!closed && !endSent) {
      endSent = true;
      channel.sendSoon(this, Frames.end(number));
      closeIfBothEnded();
    }
  }

  final void sendReset(ResetReason reason) {
    if (!closed) {
      forget();
      Reset reset = Reset.newBuilder().setReason(reason).build();
      channel.send(this, Frames.of(number, FrameType.RESET, reset));
    }
  }

  final boolean canSend() {
    return open && !closed && !endSent;
  }

  /// Forgets the stream; what still comes on it is dropped.
  final void forget() {
    if (!closed) {
      closed = true;
      window.close();
      channel.forget(this);
    }
  }

  private void closeIfBothEnded() {
    if (endSent && endReceived && !closed) {
      closed = true;
      window.close();
      channel.remove(this);
    }
  }

  private void sendCredit(int bytes) {
    channel.send(
        this, Frames.of(number, FrameType.CREDIT, Credit.newBuilder().setBytes(bytes).build()));
  }
}
