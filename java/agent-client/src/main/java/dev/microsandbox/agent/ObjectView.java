package dev.microsandbox.agent;

import static dev.microsandbox.agent.BrokenRuleException.require;

import dev.microsandbox.agent.wire.CellError;
import dev.microsandbox.agent.wire.CellResult;
import dev.microsandbox.agent.wire.Finished;
import dev.microsandbox.agent.wire.Opened;
import dev.microsandbox.agent.wire.Outcome;
import dev.microsandbox.agent.wire.Reset;
import dev.microsandbox.agent.wire.ResetReason;
import dev.microsandbox.agent.wire.StreamEvent;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.SandboxException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;

/// The host's view of a cell or process.
final class ObjectView extends ChannelStream implements ObjectStream {
  private final ObjectId id;
  private final ObjectListener listener;

  // Guarded by the channel's lock.
  private final ByteBuffer code;
  private boolean endWanted;

  // Of the reading thread alone.
  private boolean finished;
  private boolean over;

  /// @param code what of a cell's source did not fit into its OPEN, to be sent once there is credit
  ObjectView(Channel channel, int number, ObjectId id, ObjectListener listener, ByteBuffer code) {
    super(channel, number);
    this.id = id;
    this.listener = listener;
    this.code = code;
    this.endWanted = code.hasRemaining();
  }

  @Override
  public ObjectId id() {
    return id;
  }

  @Override
  public void grant(int bytes) {
    synchronized (channel) {
      window.grant(bytes);
    }
  }

  @Override
  public void write(ByteBuffer input) throws IOException {
    if (channel.loop().isCurrent()) {
      throw new IllegalStateException("a listener must not wait for a program to read");
    }
    synchronized (channel) {
      while (input.hasRemaining()) {
        if (closed || endWanted) {
          throw new IOException("the program takes no more input");
        }
        if (send(input) == 0) {
          await();
        }
      }
    }
  }

  private void await() throws IOException {
    try {
      channel.wait();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while the program did not read");
    }
  }

  @Override
  public void endInput() {
    synchronized (channel) {
      endWanted = true;
      pump();
    }
  }

  @Override
  public void close() {
    synchronized (channel) {
      sendReset(ResetReason.RESET_REASON_CANCELLED);
    }
  }

  @Override
  void onOpened(Opened opened) throws BrokenRuleException {
    synchronized (channel) {
      require(!open, "OPENED twice");
      open = true;
      addInitialCredit(opened.getWindow());
      channel.notifyAll(); // whoever has input waits for this
      pump();
    }
    listener.onOpened(Math.max(0, opened.getOffset()));
  }

  @Override
  void onData(int flags, ByteBuffer bytes) throws BrokenRuleException {
    require(!finished, "DATA after Finished");
    synchronized (channel) {
      checkReceiving(bytes.remaining());
    }
    listener.onOutput(flags == 0 ? Lane.STDOUT : Lane.STDERR, bytes.asReadOnlyBuffer());
  }

  @Override
  void onEvent(StreamEvent event) throws BrokenRuleException {
    require(open, "EVENT before OPENED");
    require(!finished, "EVENT after Finished");
    switch (event.getBodyCase()) {
      case STARTED ->
          listener.onStarted(event.getStarted().getPid(), event.getStarted().getCellNumber());
      case RESULT -> result(event.getResult());
      case ERROR -> error(event.getError());
      case FINISHED -> finished(event.getFinished());
      case FILE_WRITTEN -> throw new BrokenRuleException("FileWritten of a cell or process");
      case BODY_NOT_SET -> {} // of a later version
    }
  }

  private void result(CellResult result) {
    listener.onResult(result.getDataMap(), result.getOmittedList());
  }

  private void error(CellError error) {
    listener.onError(error.getName(), error.getMessage(), error.getTraceback());
  }

  private void finished(Finished end) throws BrokenRuleException {
    if (end.getOutcome() == Outcome.OUTCOME_FAILED_TO_START) {
      finished = true;
      lose(new SandboxException(ErrorCode.INTERPRETER_FAILED, "the program could not be started"));
    } else {
      ObjectEnd outcome = AgentWords.objectEnd(end);
      finished = true;
      over = true;
      listener.onFinished(outcome);
    }
  }

  @Override
  void onEnd() throws BrokenRuleException {
    require(finished, "END before Finished");
    synchronized (channel) {
      checkEnd();
      answerEnd();
    }
  }

  @Override
  void onReset(Reset reset) {
    synchronized (channel) {
      forget();
    }
    lose(AgentWords.refusal(reset));
  }

  @Override
  void onWritable() {
    synchronized (channel) {
      channel.notifyAll();
      pump();
    }
  }

  @Override
  void onChannelEnded(ChannelEnd end) {
    lose(Channel.lost(end));
  }

  @Override
  void onListenerFailed() {
    close();
    lose(new SandboxException(ErrorCode.INTERNAL, "the output could not be taken"));
  }

  private void lose(SandboxException reason) {
    if (!over) {
      over = true;
      listener.onLost(reason);
    }
  }

  private void pump() {
    if (code.hasRemaining()) {
      send(code);
    }
    if (endWanted && !code.hasRemaining() && canSend()) {
      sendEnd();
    }
  }
}
