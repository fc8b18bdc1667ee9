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

/// A file on its way in, by a stream of its own. Pieces go from the caller's buffer to the
/// channel's socket as far as that has room.
final class UploadStream extends ChannelStream implements FileUpload {
  private final Turn turn;

  // Guarded by the channel's lock.
  private boolean unsupported;
  private boolean finishing;
  private boolean written;
  private long sent;
  private @Nullable SandboxException failure;

  UploadStream(Channel channel, int number) {
    super(channel, number);
    turn = new Turn(channel);
  }

  /// Waits until the file can be written; false where the agent does not know such streams.
  boolean awaitOpened() {
    synchronized (channel) {
      turn.begin(channel);
      while (!open && !unsupported) {
        awaitAgent();
      }
      return !unsupported;
    }
  }

  @Override
  public void write(ByteBuffer piece) {
    synchronized (channel) {
      turn.begin(channel);
      boolean hasWaited = false;
      while (piece.hasRemaining()) {
        // Who has waited takes a place in the line, so that other streams do not keep it out.
        int taken = hasWaited ? send(piece) : sendAtOnce(piece);
        sent += taken;
        hasWaited = taken == 0;
        if (hasWaited) {
          awaitAgent();
        } else {
          turn.begin(channel);
        }
      }
    }
  }

  @Override
  public void finish() {
    synchronized (channel) {
      finishing = true;
      sendEnd();
      turn.begin(channel);
      while (!written) {
        awaitAgent();
      }
    }
  }

  @Override
  public void close() {
    synchronized (channel) {
      if (!written) {
        sendReset(ResetReason.RESET_REASON_CANCELLED);
      }
    }
  }

  /// Waits for a change, with the channel's lock held.
  private void awaitAgent() {
    SandboxException late = failure == null ? turn.await() : null;
    if (failure == null) {
      failure = late; // what the agent said meanwhile counts
    }
    if (failure != null) {
      sendReset(ResetReason.RESET_REASON_CANCELLED);
      throw failure;
    }
  }

  @Override
  void onOpened(Opened opened) throws BrokenRuleException {
    synchronized (channel) {
      require(!open, "OPENED twice");
      open = true;
      addInitialCredit(opened.getWindow());
      channel.notifyAll();
    }
  }

  @Override
  void onData(int flags, ByteBuffer bytes) throws BrokenRuleException {
    throw new BrokenRuleException("DATA of a file on its way in");
  }

  @Override
  void onEvent(StreamEvent event) throws BrokenRuleException {
    switch (event.getBodyCase()) {
      case FILE_WRITTEN -> written(event.getFileWritten().getSize());
      case STARTED, RESULT, ERROR, FINISHED ->
          throw new BrokenRuleException("EVENT of a run on a file's stream");
      case BODY_NOT_SET -> {} // of a later version
    }
  }

  private void written(long size) throws BrokenRuleException {
    synchronized (channel) {
      require(finishing && !written, "FileWritten before END, or twice");
      require(size == sent, "FileWritten of " + size + " bytes where " + sent + " were sent");
      written = true;
      channel.notifyAll();
    }
  }

  @Override
  void onEnd() throws BrokenRuleException {
    synchronized (channel) {
      require(written, "END before FileWritten");
      checkEnd();
    }
  }

  @Override
  void onReset(Reset reset) {
    synchronized (channel) {
      unsupported = !open && reset.getReason() == ResetReason.RESET_REASON_UNSUPPORTED;
      if (!unsupported) {
        failed(AgentWords.refusal(reset));
      }
      forget();
    }
  }

  @Override
  void onWritable() {
    synchronized (channel) {
      channel.notifyAll();
    }
  }

  @Override
  void onChannelEnded(ChannelEnd end) {
    synchronized (channel) {
      failed(Channel.lost(end));
    }
  }

  @Override
  void onListenerFailed() {
    synchronized (channel) {
      failed(new SandboxException(ErrorCode.INTERNAL, "the file could not be sent"));
      sendReset(ResetReason.RESET_REASON_CANCELLED);
    }
  }

  private void failed(SandboxException reason) {
    if (failure == null && !written) {
      failure = reason;
    }
    channel.notifyAll();
  }
}
