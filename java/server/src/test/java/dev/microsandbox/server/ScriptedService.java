package dev.microsandbox.server;

import dev.microsandbox.engine.ApiKey;
import dev.microsandbox.engine.Caller;
import dev.microsandbox.engine.CommandRequest;
import dev.microsandbox.engine.ContextInfo;
import dev.microsandbox.engine.ContextSpec;
import dev.microsandbox.engine.FileSink;
import dev.microsandbox.engine.FileSource;
import dev.microsandbox.engine.FileWrite;
import dev.microsandbox.engine.ImageInfo;
import dev.microsandbox.engine.KeyService;
import dev.microsandbox.engine.LogEntry;
import dev.microsandbox.engine.NewApiKey;
import dev.microsandbox.engine.PoolKey;
import dev.microsandbox.engine.PoolService;
import dev.microsandbox.engine.PoolStatus;
import dev.microsandbox.engine.PoolTotals;
import dev.microsandbox.engine.RunHandle;
import dev.microsandbox.engine.RunRequest;
import dev.microsandbox.engine.RunStream;
import dev.microsandbox.engine.SandboxFilter;
import dev.microsandbox.engine.SandboxInfo;
import dev.microsandbox.engine.SandboxMetrics;
import dev.microsandbox.engine.SandboxRef;
import dev.microsandbox.engine.SandboxService;
import dev.microsandbox.engine.ServerStatus;
import dev.microsandbox.engine.TimeLimits;
import dev.microsandbox.model.ByteSize;
import dev.microsandbox.model.EndReason;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.IsolationKind;
import dev.microsandbox.model.Language;
import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxId;
import dev.microsandbox.model.SandboxSpec;
import dev.microsandbox.model.SandboxState;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/// Sandboxes in memory, whose runs do what a test has written: the HTTP tests' other end.
final class ScriptedService implements SandboxService, KeyService, PoolService {
  static final String GOOD_KEY = "msb_good";
  static final Instant NOW = Instant.parse("2026-01-31T12:00:00Z");

  final Map<SandboxId, SandboxInfo> sandboxes = new ConcurrentHashMap<>();
  final Map<String, byte[]> files = new ConcurrentHashMap<>();
  final BlockingQueue<String> closedFiles = new LinkedBlockingQueue<>();
  final List<ScriptedRun> runs = new CopyOnWriteArrayList<>();
  final List<CommandRequest> commands = new CopyOnWriteArrayList<>();
  final List<RunRequest> cells = new CopyOnWriteArrayList<>();
  volatile ScriptedRun.Script script = ScriptedRun.Script.hello();
  volatile boolean broken;

  /// Whether cells have to wait for their sandbox.
  volatile boolean starting;

  final List<PoolStatus> pools = new CopyOnWriteArrayList<>();

  @Override
  public List<PoolStatus> pools() {
    return pools;
  }

  @Override
  public PoolStatus setPool(PoolBounds bounds) {
    Integer maximum = bounds.maximum();
    PoolStatus.Trouble trouble = new PoolStatus.Trouble("the host is short of memory", NOW, null);
    PoolStatus set =
        new PoolStatus(
            new PoolKey(bounds.image(), IsolationKind.CONTAINER, bounds.limits()),
            bounds.minimum(),
            maximum == null ? 8 : maximum,
            true,
            bounds.minimum(),
            1,
            2,
            3,
            4,
            5,
            6,
            7,
            trouble);
    pools.add(set);
    return set;
  }

  @Override
  public PoolTotals totals() {
    return new PoolTotals(0, 0, 0, 0, 0, 0, 0, 0, Duration.ZERO);
  }

  private SandboxInfo info(SandboxId id, SandboxSpec spec, SandboxState state) {
    boolean stopped = state == SandboxState.STOPPED;
    return new SandboxInfo(
        id,
        spec,
        IsolationKind.CONTAINER,
        state,
        List.of(Language.PYTHON),
        NOW,
        NOW,
        stopped ? NOW : null,
        null,
        stopped ? EndReason.STOPPED : null);
  }

  @Override
  public SandboxInfo create(Caller caller, SandboxSpec spec) {
    if (broken) {
      throw new IllegalStateException("a bug, with /var/lib/microsandbox/secret in it");
    }
    for (SandboxInfo known : sandboxes.values()) {
      if (known.spec().name().equals(spec.name())
          && known.spec().namespace().equals(spec.namespace())
          && known.spec().owner().equals(spec.owner())) {
        throw new SandboxException(
            ErrorCode.NAME_TAKEN, "a sandbox named " + spec.name() + " exists");
      }
    }
    SandboxInfo made = info(SandboxId.random(), spec, SandboxState.RUNNING);
    sandboxes.put(made.id(), made);
    return made;
  }

  @Override
  public SandboxInfo get(Caller caller, SandboxRef ref) {
    return sandboxes.values().stream()
        .filter(info -> info.spec().owner().equals(caller.owner()))
        .filter(info ->
            info.id().value().equals(ref.text())
                || (info.spec().name().value().equals(ref.text())
                    && info.spec().namespace().equals(ref.namespace())))
        .findFirst()
        .orElseThrow(() ->
            new SandboxException(ErrorCode.SANDBOX_NOT_FOUND, "no sandbox named " + ref.text()));
  }

  @Override
  public List<SandboxInfo> list(Caller caller, SandboxFilter filter) {
    return sandboxes.values().stream()
        .filter(info -> info.spec().owner().equals(caller.owner()))
        .filter(info ->
            filter.namespace() == null || filter.namespace().equals(info.spec().namespace()))
        .filter(info -> info.spec().labels().entrySet().containsAll(filter.labels().entrySet()))
        .toList();
  }

  private SandboxInfo change(Caller caller, SandboxRef ref, SandboxState state) {
    SandboxInfo known = get(caller, ref);
    SandboxInfo changed = info(known.id(), known.spec(), state);
    sandboxes.put(known.id(), changed);
    return changed;
  }

  @Override
  public SandboxInfo start(Caller caller, SandboxRef ref) {
    return change(caller, ref, SandboxState.RUNNING);
  }

  @Override
  public SandboxInfo stop(Caller caller, SandboxRef ref) {
    return change(caller, ref, SandboxState.STOPPED);
  }

  @Override
  public void delete(Caller caller, SandboxRef ref) {
    sandboxes.remove(get(caller, ref).id());
  }

  @Override
  public SandboxInfo extend(Caller caller, SandboxRef ref, TimeLimits limits) {
    return get(caller, ref);
  }

  private ScriptedRun begin(Caller caller, SandboxRef ref, String context) {
    get(caller, ref);
    ScriptedRun run = new ScriptedRun(context, script);
    runs.add(run);
    return run;
  }

  @Override
  public RunHandle run(Caller caller, SandboxRef ref, RunRequest request) {
    cells.add(request);
    return begin(caller, ref, request.context()).handle();
  }

  @Override
  public Optional<RunHandle> runNow(Caller caller, SandboxRef ref, RunRequest request) {
    return starting ? Optional.empty() : Optional.of(run(caller, ref, request));
  }

  @Override
  public RunStream stream(Caller caller, SandboxRef ref, RunRequest request) {
    cells.add(request);
    return begin(caller, ref, request.context()).stream();
  }

  @Override
  public RunHandle command(Caller caller, SandboxRef ref, CommandRequest request) {
    commands.add(request);
    return begin(caller, ref, "").handle();
  }

  @Override
  public RunStream stream(Caller caller, SandboxRef ref, CommandRequest request) {
    commands.add(request);
    return begin(caller, ref, "").stream();
  }

  @Override
  public RunStream attach(Caller caller, SandboxRef ref, ObjectId run, long offset) {
    get(caller, ref);
    return find(run).stream();
  }

  private ScriptedRun find(ObjectId id) {
    return runs.stream()
        .filter(run -> run.id().equals(id))
        .findFirst()
        .orElseThrow(() -> new SandboxException(ErrorCode.RUN_NOT_FOUND, "no such run"));
  }

  @Override
  public void interrupt(Caller caller, SandboxRef ref, ObjectId run) {
    find(run).interrupt();
  }

  final List<Integer> signals = new CopyOnWriteArrayList<>();

  @Override
  public void signal(Caller caller, SandboxRef ref, ObjectId run, int number, boolean group) {
    find(run);
    signals.add(group ? -number : number);
  }

  @Override
  public ContextInfo openContext(Caller caller, SandboxRef ref, ContextSpec spec) {
    get(caller, ref);
    return new ContextInfo(spec.id() == null ? "c1" : spec.id(), spec.language(), "", false);
  }

  @Override
  public List<ContextInfo> contexts(Caller caller, SandboxRef ref) {
    get(caller, ref);
    return List.of(new ContextInfo("python", Language.PYTHON, "3.13.5", true));
  }

  @Override
  public void closeContext(Caller caller, SandboxRef ref, String context) {
    get(caller, ref);
  }

  /// A path that ends in `!` breaks after its content, one that ends in `?` does not know its size.
  @Override
  public FileSource readFile(Caller caller, SandboxRef ref, String path, String user) {
    byte[] content = files.get(path);
    if (content == null) {
      throw new SandboxException(ErrorCode.NO_SUCH_FILE, "there is no file " + path);
    }
    Iterator<ByteBuffer> pieces = List.of(ByteBuffer.wrap(content)).iterator();
    long size = path.endsWith("!") ? content.length + 1 : path.endsWith("?") ? -1 : content.length;
    return new FileSource() {
      @Override
      public long size() {
        return size;
      }

      @Override
      public @Nullable ByteBuffer next() {
        if (!pieces.hasNext() && size > content.length) {
          throw new SandboxException(ErrorCode.AGENT_LOST, "lost in the middle");
        }
        return pieces.hasNext() ? pieces.next() : null;
      }

      @Override
      public void close() {
        closedFiles.add(path);
      }
    };
  }

  /// A path that ends in `!` is full after 100 bytes.
  @Override
  public FileSink writeFile(Caller caller, SandboxRef ref, FileWrite file) {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    return new FileSink() {
      @Override
      public void write(ByteBuffer piece) {
        byte[] bytes = new byte[piece.remaining()];
        piece.get(bytes);
        content.writeBytes(bytes);
        if (file.path().endsWith("!") && content.size() > 100) {
          throw new SandboxException(ErrorCode.DISK_FULL, "the sandbox's disk is full");
        }
      }

      @Override
      public void finish() {
        files.put(file.path(), content.toByteArray());
      }

      @Override
      public void close() {
        closedFiles.add(file.path());
      }
    };
  }

  @Override
  public SandboxMetrics metrics(Caller caller, SandboxRef ref) {
    SandboxInfo info = get(caller, ref);
    return new SandboxMetrics(
        info.id(),
        info.spec().namespace(),
        info.spec().name().value(),
        info.state() == SandboxState.RUNNING,
        12.5,
        ByteSize.ofMib(34),
        3,
        ByteSize.ofKib(64));
  }

  @Override
  public List<LogEntry> logs(Caller caller, SandboxRef ref, long after, int limit) {
    return List.of(new LogEntry(1, NOW, "server", "info", "started"));
  }

  @Override
  public List<ImageInfo> images(Caller caller) {
    return List.of();
  }

  @Override
  public ServerStatus status() {
    return new ServerStatus(
        true,
        NOW,
        sandboxes.size(),
        sandboxes.size(),
        10,
        List.of(IsolationKind.CONTAINER),
        Map.of(IsolationKind.CONTAINER, "crun 1.21"));
  }

  final List<ApiKey> made = new ArrayList<>();

  @Override
  public NewApiKey createKey(String owner, String name) {
    ApiKey key = new ApiKey("k" + made.size(), name, owner, NOW, null, null);
    made.add(key);
    return new NewApiKey(key, "msb_new");
  }

  @Override
  public List<ApiKey> keys() {
    return made;
  }

  @Override
  public void revokeKey(String id) {
    throw new SandboxException(ErrorCode.KEY_NOT_FOUND, "no key " + id);
  }

  @Override
  public Caller authenticate(String secret) {
    return switch (secret) {
      case GOOD_KEY -> Caller.LOCAL;
      case "msb_other" -> new Caller("other");
      default -> throw new SandboxException(ErrorCode.INVALID_KEY, "the API key is not valid");
    };
  }
}
