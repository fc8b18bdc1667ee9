package dev.microsandbox.engine;

import dev.microsandbox.agent.AgentClient;
import dev.microsandbox.agent.Lane;
import dev.microsandbox.agent.ObjectEnd;
import dev.microsandbox.agent.ObjectListener;
import dev.microsandbox.agent.ObjectStream;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.SandboxException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One view of a cell or process in its agent. It outlives channels: opened again on the next one
/// it goes on where it stood.
final class RunView implements ObjectListener {
  /// Bytes that an agent may send before more are granted.
  static final int WINDOW = 256 * 1024;

  private final ObjectId id;
  private final Opener opener;
  private final RunSink sink;
  private final Owner owner;
  private @Nullable AgentClient attachedTo;
  private @Nullable ObjectStream stream;
  private boolean made;
  private boolean started;
  private boolean over;
  private long next;
  private int seenHere;
  private int toSkip;

  /// @param made whether the object exists already, so that it need not be opened by `opener`
  RunView(ObjectId id, Opener opener, RunSink sink, Owner owner, boolean made, long offset) {
    this.id = id;
    this.opener = opener;
    this.sink = sink;
    this.owner = owner;
    this.made = made;
    this.next = offset;
  }

  /// How the object comes into being.
  interface Opener {
    ObjectStream open(AgentClient agent, ObjectListener listener, long offset);
  }

  /// Who hears of the end.
  record Owner(Consumer<ObjectEnd> ended, Consumer<SandboxException> refused) {}

  RunSink sink() {
    return sink;
  }

  /// Opens it on this channel, unless it is open there already.
  void open(AgentClient agent) {
    SandboxException refusal = null;
    synchronized (this) {
      if (over || attachedTo == agent) {
        return;
      }
      attachedTo = agent;
      toSkip = seenHere;
      try {
        stream = made ? agent.attach(id, next, this) : opener.open(agent, this, next);
      } catch (SandboxException e) {
        stream = null;
        if (e.code() != ErrorCode.AGENT_LOST) {
          refusal = e; // else the next channel, or the sandbox's end, decides
        }
      }
    }
    if (refusal != null) {
      refuse(refusal);
    }
  }

  void grant(int bytes) {
    ObjectStream current;
    synchronized (this) {
      current = over ? null : stream;
    }
    if (current != null && bytes > 0) {
      current.grant(bytes);
    }
  }

  void write(byte[] input) throws IOException {
    input().write(ByteBuffer.wrap(input));
  }

  void endInput() {
    ObjectStream current;
    synchronized (this) {
      current = over ? null : stream;
    }
    if (current != null) {
      current.endInput();
    }
  }

  private synchronized ObjectStream input() throws IOException {
    if (over || stream == null) {
      throw new IOException("the command takes no more input");
    }
    return stream;
  }

  /// Ends the view alone.
  void detach() {
    ObjectStream current;
    synchronized (this) {
      over = true;
      current = stream;
      stream = null;
    }
    if (current != null) {
      current.close();
    }
  }

  @Override
  public synchronized void onOpened(long offset) {
    made = true;
    if (offset > next) {
      next = offset;
      seenHere = 0;
      toSkip = 0;
    }
  }

  @Override
  public synchronized void onStarted(int pid, int cellNumber) {
    made = true;
    if (!over && !started) {
      started = true;
      sink.started();
    }
  }

  @Override
  public void onOutput(Lane lane, ByteBuffer bytes) {
    int more;
    ObjectStream current;
    synchronized (this) {
      if (over) {
        return;
      }
      long offset = next;
      next += bytes.remaining();
      seenHere = 0;
      toSkip = 0;
      RunEvent.Source source =
          lane == Lane.STDOUT ? RunEvent.Source.STDOUT : RunEvent.Source.STDERR;
      more = sink.output(source, bytes, offset);
      current = stream;
    }
    if (more > 0 && current != null) {
      current.grant(more);
    }
  }

  @Override
  public synchronized void onResult(Map<String, String> data, List<String> omitted) {
    if (fresh()) {
      sink.result(data, omitted);
    }
  }

  @Override
  public synchronized void onError(String name, String message, String traceback) {
    if (fresh()) {
      sink.raised(new RunResult.RunError(name, message, traceback));
    }
  }

  /// Results and errors at the very offset of a new attachment are sent again by the agent.
  private boolean fresh() {
    if (over) {
      return false;
    }
    if (toSkip > 0) {
      toSkip--;
      return false;
    }
    seenHere++;
    return true;
  }

  @Override
  public void onFinished(ObjectEnd end) {
    if (finish()) {
      owner.ended().accept(end);
    }
  }

  @Override
  public void onLost(SandboxException reason) {
    if (reason.code() == ErrorCode.AGENT_LOST) {
      synchronized (this) {
        stream = null; // the channel is gone; the session opens the view on the next one
      }
      return;
    }
    refuse(reason);
  }

  private void refuse(SandboxException reason) {
    if (finish()) {
      owner.refused().accept(reason);
    }
  }

  private synchronized boolean finish() {
    boolean first = !over;
    over = true;
    stream = null;
    return first;
  }
}
