package dev.microsandbox.engine;

import dev.microsandbox.agent.AgentClient;
import dev.microsandbox.agent.AgentHello;
import dev.microsandbox.agent.AgentStatus;
import dev.microsandbox.agent.CellRequest;
import dev.microsandbox.agent.ChannelEnd;
import dev.microsandbox.agent.ContextInfo;
import dev.microsandbox.agent.ContextRequest;
import dev.microsandbox.agent.FileDownload;
import dev.microsandbox.agent.FileMode;
import dev.microsandbox.agent.FileUpload;
import dev.microsandbox.agent.InterruptCause;
import dev.microsandbox.agent.Lane;
import dev.microsandbox.agent.ObjectEnd;
import dev.microsandbox.agent.ObjectListener;
import dev.microsandbox.agent.ObjectStream;
import dev.microsandbox.agent.ProcessRequest;
import dev.microsandbox.agent.SandboxConfiguration;
import dev.microsandbox.model.ByteSize;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.Language;
import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.Outcome;
import dev.microsandbox.model.SandboxException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/// An agent in memory. What a cell does is its source, one word a line: `print TEXT`, `err TEXT`,
/// `flood BYTES`, `value TEXT`, `raise NAME`, `hang` (until interrupted), `resist` (for ever),
/// `crash` (a SIGKILL from nowhere), `oom` (one from the kernel), `exit CODE`. Commands likewise,
/// by their first argument.
final class FakeAgent implements AgentClient {
  private final Inside inside;
  private final AgentConnector.Ears ears;
  private final String bootId;
  private final CompletableFuture<ChannelEnd> ended = new CompletableFuture<>();
  private final AtomicBoolean ending = new AtomicBoolean();
  private final Map<FakeObject, ObjectListener> views = new ConcurrentHashMap<>();
  private final ExecutorService reader =
      Executors.newSingleThreadExecutor(Thread.ofVirtual().factory());

  FakeAgent(Inside inside, AgentConnector.Ears ears) {
    this.inside = inside;
    this.ears = ears;
    this.bootId = inside.bootId;
  }

  /// What lives on when a channel ends.
  static final class Inside {
    final FakeHost.FakeSandbox sandbox;
    final Map<ObjectId, FakeObject> objects = new ConcurrentHashMap<>();
    final List<ObjectId> acknowledged = new CopyOnWriteArrayList<>();
    final Map<String, byte[]> files = new ConcurrentHashMap<>();
    final Map<String, ContextInfo> contexts = new ConcurrentHashMap<>();
    volatile String bootId = ObjectId.random().value();
    private volatile @Nullable SandboxConfiguration configuration;
    volatile boolean answersInterrupts = true;
    volatile boolean interpretersStart = true;
    volatile boolean takesWords = true;
    volatile long claimedEnd = -1;

    Inside(FakeHost.FakeSandbox sandbox) {
      this.sandbox = sandbox;
    }

    SandboxConfiguration configuration() {
      return Objects.requireNonNull(configuration);
    }
  }

  AgentConnector.Ears ears() {
    return ears;
  }

  static SandboxException lost() {
    return new SandboxException(ErrorCode.AGENT_LOST, "the agent is gone");
  }

  /// The channel ends; the agent lives on.
  void cut() {
    end(new ChannelEnd(ChannelEnd.Cause.LOST, "end of file"));
  }

  void breakRule() {
    end(new ChannelEnd(ChannelEnd.Cause.RULE_BROKEN, "a frame too long"));
  }

  private void end(ChannelEnd why) {
    if (!ending.compareAndSet(false, true)) {
      return;
    }
    reader.execute(() -> {
      views.values().forEach(listener -> listener.onLost(lost()));
      views.clear();
      ended.complete(why);
    });
    reader.shutdown();
  }

  private ObjectStream view(FakeObject object, ObjectListener listener, long offset, int window) {
    if (ending.get()) {
      throw lost();
    }
    FakeObject.View view = new FakeObject.View(reader, listener, object, offset, window);
    views.put(object, listener);
    view.pump();
    return view;
  }

  @Override
  public AgentHello hello() {
    List<AgentHello.KnownObject> known =
        inside.objects.values().stream().map(FakeObject::known).toList();
    return new AgentHello(
        1, inside.sandbox.id(), bootId, "fake", true, known, List.copyOf(inside.contexts.values()));
  }

  @Override
  public CompletableFuture<Void> configure(SandboxConfiguration configuration, Duration patience) {
    inside.sandbox.host().step(FakeHost.Step.CONFIGURE, inside.sandbox.id());
    inside.configuration = configuration;
    for (Language language : configuration.prestart()) {
      ears.listener()
          .onContextChanged(
              new dev.microsandbox.agent.ContextInfo(
                  language.wireName(), language.wireName(), "1.0", inside.interpretersStart));
    }
    return inside.takesWords
        ? CompletableFuture.completedFuture(null)
        : CompletableFuture.failedFuture(lost());
  }

  @Override
  public ObjectStream runCell(CellRequest request, ObjectListener listener) {
    FakeObject object =
        inside.objects.computeIfAbsent(
            request.id(), id -> new FakeObject(id, inside, request.code()));
    return view(object, listener, request.offset(), request.window());
  }

  @Override
  public ObjectStream startProcess(ProcessRequest request, ObjectListener listener) {
    if (request.argv().getFirst().equals("missing")) {
      throw new SandboxException(ErrorCode.COMMAND_NOT_FOUND, "no such program: missing");
    }
    FakeObject object =
        inside.objects.computeIfAbsent(
            request.id(),
            id -> new FakeObject(id, inside, String.join(" ", request.argv()) + "\nexit 0"));
    return view(object, listener, request.offset(), request.window());
  }

  @Override
  public ObjectStream attach(ObjectId id, long offset, ObjectListener listener) {
    FakeObject object = inside.objects.get(id);
    if (object == null) {
      throw new SandboxException(ErrorCode.RUN_NOT_FOUND, "no such object");
    }
    return view(object, listener, offset, RunView.WINDOW);
  }

  @Override
  public CompletableFuture<Void> interrupt(ObjectId id, InterruptCause cause, Duration grace) {
    FakeObject object = inside.objects.get(id);
    if (object != null && inside.answersInterrupts) {
      object.interrupt(cause);
    }
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public void signal(ObjectId id, int number, boolean group) {
    FakeObject object = inside.objects.get(id);
    if (object != null) {
      object.kill(number);
    }
  }

  @Override
  public void acknowledge(List<ObjectId> ids) {
    inside.acknowledged.addAll(ids);
    ids.forEach(inside.objects::remove);
  }

  @Override
  public void openContext(ContextRequest request) {
    inside.contexts.put(
        request.id(), new ContextInfo(request.id(), request.language().wireName(), "fake", true));
  }

  @Override
  public void closeContext(String contextId) {
    inside.contexts.remove(contextId);
  }

  @Override
  public FileDownload readFile(String path, String user) {
    byte[] content = inside.files.get(path);
    if (content == null) {
      throw new SandboxException(ErrorCode.NO_SUCH_FILE, "no such file");
    }
    Iterator<ByteBuffer> pieces = List.of(ByteBuffer.wrap(content)).iterator();
    return new FileDownload() {
      @Override
      public long size() {
        return content.length;
      }

      @Override
      public @Nullable ByteBuffer next() {
        return pieces.hasNext() ? pieces.next() : null;
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public FileUpload writeFile(String path, FileMode mode) {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    return new FileUpload() {
      @Override
      public void write(ByteBuffer piece) {
        byte[] bytes = new byte[piece.remaining()];
        piece.get(bytes);
        content.writeBytes(bytes);
      }

      @Override
      public void finish() {
        inside.files.put(path, content.toByteArray());
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public AgentStatus status() {
    return new AgentStatus(ByteSize.ofMib(1), ByteSize.ofMib(10), 3);
  }

  @Override
  public void ping(Duration deadline) {}

  @Override
  public void shutdown(Duration grace) {
    if (inside.sandbox.endsWhenAsked) {
      inside.sandbox.end(false);
    }
  }

  @Override
  public CompletableFuture<ChannelEnd> ended() {
    return ended;
  }

  @Override
  public void close() {
    end(new ChannelEnd(ChannelEnd.Cause.CLOSED, "closed"));
  }

  /// A cell or process.
  static final class FakeObject {
    private final ObjectId id;
    private final Inside inside;
    private final List<View> watching = new CopyOnWriteArrayList<>();
    private final java.io.ByteArrayOutputStream output = new java.io.ByteArrayOutputStream();
    private volatile @Nullable ObjectEnd end;
    private volatile @Nullable String value;
    private volatile @Nullable String raised;
    private boolean resists;
    private boolean hangs;

    FakeObject(ObjectId id, Inside inside, String code) {
      this.id = id;
      this.inside = inside;
      code.lines().forEach(this::perform);
      if (!hangs && end == null) {
        finish(raised == null ? Outcome.OK : Outcome.ERROR, 0, 0, false);
      }
    }

    AgentHello.KnownObject known() {
      long offset = inside.claimedEnd < 0 ? output.size() : inside.claimedEnd;
      return new AgentHello.KnownObject(id, offset, end != null, "");
    }

    private void perform(String line) {
      String[] words = line.strip().split(" ", 2);
      String argument = words.length > 1 ? words[1] : "";
      if (end != null || hangs) {
        return;
      }
      switch (words[0]) {
        case "print", "err" ->
            output.writeBytes((argument + "\n").getBytes(StandardCharsets.UTF_8));
        case "flood" -> output.writeBytes(new byte[Integer.parseInt(argument)]);
        case "value" -> value = argument;
        case "raise" -> raised = argument;
        case "hang" -> hangs = true;
        case "resist" -> {
          hangs = true;
          resists = true;
        }
        case "crash" -> finish(Outcome.SIGNALED, 0, 9, true);
        case "oom" -> {
          inside.sandbox.oomKills.incrementAndGet();
          finish(Outcome.SIGNALED, 0, 9, true);
        }
        case "exit" -> finish(Outcome.EXITED, Integer.parseInt(argument.strip()), 0, false);
        default -> {}
      }
    }

    private void finish(Outcome outcome, int code, int signal, boolean lost) {
      end = new ObjectEnd(outcome, code, signal, lost, signal == 9, output.size(), 10);
      watching.forEach(View::pump);
    }

    void interrupt(InterruptCause cause) {
      if (hangs && !resists && end == null) {
        finish(
            cause == InterruptCause.TIMEOUT ? Outcome.TIMED_OUT : Outcome.INTERRUPTED, 0, 0, false);
      }
    }

    void kill(int signal) {
      if (end == null) {
        finish(Outcome.SIGNALED, 0, signal, false);
      }
    }

    /// A view of it, under credit.
    static final class View implements ObjectStream {
      private final ExecutorService reader;
      private final ObjectListener listener;
      private final FakeObject object;
      private long next;
      private long credit;
      private boolean opened;
      private boolean over;

      View(
          ExecutorService reader,
          ObjectListener listener,
          FakeObject object,
          long offset,
          int window) {
        this.reader = reader;
        this.listener = listener;
        this.object = object;
        this.next = Math.min(offset, object.output.size());
        this.credit = window;
        object.watching.add(this);
      }

      /// Sends what credit allows, in the reader's thread.
      void pump() {
        try {
          reader.execute(this::send);
        } catch (RejectedExecutionException _) {
          // the channel has just ended
        }
      }

      private synchronized void send() {
        if (over) {
          return;
        }
        if (!opened) {
          opened = true;
          listener.onOpened(next);
          listener.onStarted(1, 1);
        }
        byte[] all = object.output.toByteArray();
        while (next < all.length && credit > 0) {
          int part = (int) Math.min(Math.min(credit, 32 * 1024), all.length - next);
          credit -= part;
          ByteBuffer bytes = ByteBuffer.wrap(all, (int) next, part).slice();
          next += part;
          listener.onOutput(Lane.STDOUT, bytes);
        }
        ObjectEnd end = object.end;
        if (next == all.length && end != null) {
          over = true;
          String value = object.value;
          if (value != null) {
            listener.onResult(Map.of("text/plain", value), List.of());
          }
          String raised = object.raised;
          if (raised != null) {
            listener.onError(raised, "bad", "Traceback: " + raised);
          }
          listener.onFinished(end);
        }
      }

      @Override
      public ObjectId id() {
        return object.id;
      }

      @Override
      public void grant(int bytes) {
        synchronized (this) {
          credit += bytes;
        }
        pump();
      }

      @Override
      public void write(ByteBuffer input) {}

      @Override
      public void endInput() {}

      @Override
      public void close() {
        synchronized (this) {
          over = true;
        }
        object.watching.remove(this);
      }
    }
  }
}
