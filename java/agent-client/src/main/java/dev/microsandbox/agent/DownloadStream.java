package dev.microsandbox.agent;

import static dev.microsandbox.agent.BrokenRuleException.require;

import dev.microsandbox.agent.wire.Opened;
import dev.microsandbox.agent.wire.Reset;
import dev.microsandbox.agent.wire.ResetReason;
import dev.microsandbox.agent.wire.StreamEvent;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// A file on its way out, by a stream of its own.
///
/// The reading thread copies what comes into one buffer while the consumer has the other; they are
/// exchanged when it asks for more. So a consumer that is slower than the channel gets large pieces
/// and one that is quicker gets small ones at once. What it holds is granted again when it asks for
/// more, so that neither buffer can be given more than the window.
final class DownloadStream extends ChannelStream implements FileDownload {
  /// What the window grows to for files that are worth it.
  static final int WINDOW = 512 * 1024;

  private final Turn turn = new Turn(this);

  // Guarded by this.
  private boolean unsupported;
  private boolean complete;
  private boolean over;
  private long size = -1;
  private long came;
  private @Nullable ByteBuffer filling;
  private @Nullable SandboxException failure;

  // Of the consumer alone.
  private @Nullable ByteBuffer held;

  DownloadStream(Channel channel, int number) {
    super(channel, number);
  }

  /// Waits until the file is open; false where the agent does not know such streams.
  synchronized boolean awaitOpened() {
    turn.begin(channel);
    while (filling == null && failure == null && !unsupported) {
      awaitAgent();
    }
    if (failure != null) {
      throw failure;
    }
    return !unsupported;
  }

  @Override
  public synchronized long size() {
    return size;
  }

  @Override
  public @Nullable ByteBuffer next() {
    ByteBuffer given = held;
    if (given != null) {
      grant(given.limit());
    }
    synchronized (this) {
      turn.begin(channel);
      while (failure == null && !complete && isEmpty()) {
        awaitAgent();
      }
      if (failure != null) {
        throw failure;
      }
      ByteBuffer full = filling;
      if (full == null || full.position() == 0) {
        giveBackHeld();
        return null;
      }
      filling = given == null ? TransferBuffers.take(full.capacity()) : given.clear();
      held = full.flip();
      return held;
    }
  }

  private boolean isEmpty() {
    return filling == null || filling.position() == 0;
  }

  private void grant(int bytes) {
    synchronized (channel) {
      window.grant(bytes);
    }
  }

  /// Waits for a change, with this lock held; fails where the agent takes too long.
  private void awaitAgent() {
    SandboxException late = turn.await();
    if (late != null && failure == null) {
      failure = late;
      // Not under this lock: the reading thread takes the channel's first.
      channel.loop().execute(this::cancel);
    }
  }

  private void cancel() {
    synchronized (channel) {
      sendReset(ResetReason.RESET_REASON_CANCELLED);
    }
  }

  @Override
  public void close() {
    cancel();
    synchronized (this) {
      over = true;
      ByteBuffer unused = filling;
      filling = null;
      if (unused != null) {
        TransferBuffers.giveBack(unused);
      }
    }
  }

  /// Only once the consumer has asked for more: what it gave up in the middle of may still be on
  /// its way to somebody, who must not be sent another file's content by it.
  private void giveBackHeld() {
    ByteBuffer last = held;
    held = null;
    if (last != null) {
      TransferBuffers.giveBack(last);
    }
  }

  @Override
  void onOpened(Opened opened) throws BrokenRuleException {
    long announced = opened.hasSize() ? opened.getSize() : -1;
    require(!opened.hasSize() || announced >= 0, "a file of more than 8 EiB");
    synchronized (channel) {
      require(!open, "OPENED twice");
      open = true;
      if (announced < 0 || announced > ReceiveWindow.MAX_INITIAL) {
        window.grant(WINDOW - ReceiveWindow.MAX_INITIAL);
      }
    }
    synchronized (this) {
      size = announced;
      if (!over) {
        filling = TransferBuffers.take(announced < 0 ? WINDOW : (int) Math.min(announced, WINDOW));
      }
      notifyAll();
    }
  }

  @Override
  void onData(int flags, ByteBuffer bytes) throws BrokenRuleException {
    require(flags == 0, "DATA of a file with flags");
    synchronized (channel) {
      checkReceiving(bytes.remaining());
    }
    synchronized (this) {
      came += bytes.remaining();
      require(size < 0 || came <= size, "more of a file than was announced");
      if (filling != null) {
        filling.put(bytes);
        notifyAll();
      }
    }
  }

  @Override
  void onEvent(StreamEvent event) throws BrokenRuleException {
    require(
        event.getBodyCase() == StreamEvent.BodyCase.BODY_NOT_SET, "EVENT of a file on its way out");
  }

  @Override
  void onEnd() throws BrokenRuleException {
    synchronized (channel) {
      checkEnd();
      sendEnd();
    }
    synchronized (this) {
      require(size < 0 || came == size, "less of a file than was announced");
      complete = true;
      notifyAll();
    }
  }

  @Override
  void onReset(Reset reset) {
    boolean opened;
    synchronized (channel) {
      opened = open;
      forget();
    }
    synchronized (this) {
      if (!opened && reset.getReason() == ResetReason.RESET_REASON_UNSUPPORTED) {
        unsupported = true;
        notifyAll();
        return;
      }
    }
    fail(AgentWords.refusal(reset));
  }

  @Override
  void onWritable() {}

  @Override
  void onChannelEnded(ChannelEnd end) {
    fail(Channel.lost(end));
  }

  @Override
  void onListenerFailed() {
    cancel();
    fail(new SandboxException(ErrorCode.INTERNAL, "the file could not be taken"));
  }

  private synchronized void fail(SandboxException reason) {
    if (failure == null && !complete) {
      failure = reason;
      notifyAll();
    }
  }
}
