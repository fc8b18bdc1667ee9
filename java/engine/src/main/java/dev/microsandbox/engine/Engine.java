package dev.microsandbox.engine;

import dev.microsandbox.agent.ContextRequest;
import dev.microsandbox.agent.InterruptCause;
import dev.microsandbox.isolation.IsolationDriver;
import dev.microsandbox.isolation.ProbeReport;
import dev.microsandbox.isolation.Usage;
import dev.microsandbox.model.ByteSize;
import dev.microsandbox.model.EndReason;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// The engine: takes the home, puts the host in order, and then serves until it is closed.
public final class Engine implements SandboxService, PoolService, AutoCloseable {
  private static final int MOST_LOG_LINES = 1000;

  private final EngineSettings settings;
  private final EngineClock clock;
  private final Instant startedAt;
  private final HomeLock lock;
  private final Database database;
  private final Drivers drivers;
  private final RootfsSource images;
  private final Timers timers = new Timers();
  private final Journal journal;
  private final Admission admission;
  private final Registry registry;
  private final Pools pools;
  private final PoolKeeper keeper;
  private final Lifecycle lifecycle;
  private final Runs runs;
  private final Sweeper sweeper;
  private final Keys keys;
  private volatile boolean left;

  /// What the engine is wired to.
  ///
  /// @param drivers the best first
  /// @param memoryIsShort whether the host has little memory left; asked about once a second
  public record Parts(
      List<IsolationDriver> drivers,
      RootfsSource images,
      AgentConnector connector,
      EgressFactory egress,
      EngineClock clock,
      BooleanSupplier memoryIsShort) {
    public Parts {
      drivers = List.copyOf(drivers);
    }
  }

  private Engine(EngineSettings settings, Parts parts, HomeLock lock, Database database) {
    this.settings = settings;
    this.clock = parts.clock();
    this.startedAt = clock.now();
    this.lock = lock;
    this.database = database;
    this.images = parts.images();
    Store store =
        new Store(database, new Store.IdBlock(settings.idRangeStart(), settings.idRanges()));
    journal = new Journal(store, timers);
    keys = new Keys(new KeyTable(database), clock);
    admission = new Admission(settings);
    registry = new Registry(settings.maxStoredSandboxes());
    drivers = new Drivers(parts.drivers());
    Reconciler.Found found = new Reconciler(store, drivers, clock).run();
    found.stopped().forEach(row -> registry.restore(new Sandbox(row, clock)));
    Lifecycle.Parts lives =
        new Lifecycle.Parts(
            settings, clock, timers, store, journal, registry, admission, drivers, images);
    Launcher launcher =
        new Launcher(parts.connector(), parts.egress(), settings.timings().connect());
    TakeDown takeDown = new TakeDown(lives);
    Calm calm = new Calm();
    pools = new Pools(lives, new PoolTable(database));
    keeper =
        new PoolKeeper(
            lives, pools, new PoolWorks(lives, launcher, takeDown), calm, parts.memoryIsShort());
    lifecycle = new Lifecycle(lives, launcher, takeDown, new Lifecycle.Pooled(pools, keeper, calm));
    new Adopter(lives, launcher, lifecycle).adopt(found.orphans());
    runs = new Runs(settings);
    sweeper = new Sweeper(registry, lifecycle, journal, clock);
    var _ = timers.every(settings.timings().sweep(), sweeper::sweep);
  }

  /// Takes the home with the sandboxes that an earlier server left running, and removes what it
  /// left half made.
  ///
  /// @throws SandboxException `home_in_use`, `store_failed`, `disk_full`
  public static Engine open(EngineSettings settings, Parts parts) {
    HomeLock lock = HomeLock.take(settings.home());
    try {
      SqliteLibrary.prepare(settings.home());
      Database database = Database.open(settings.home().resolve("microsandbox.db"));
      try {
        return new Engine(settings, parts, lock, database);
      } catch (RuntimeException e) {
        database.close();
        throw e;
      }
    } catch (RuntimeException e) {
      // Under the lock, for what drivers have made belongs to the home, not to this server.
      parts.drivers().forEach(IsolationDriver::close);
      lock.close();
      throw e;
    }
  }

  /// Who may use the server.
  public KeyService keys() {
    return keys;
  }

  /// What was found out about this host by trying; waits for it where that is not done yet.
  public List<ProbeReport.Finding> findings() {
    return drivers.findings();
  }

  /// For tests that kill a server at a moment of their choice.
  Journal journal() {
    return journal;
  }

  /// For tests of what a full disk does.
  Database database() {
    return database;
  }

  /// Looks for idle and expired sandboxes now, rather than at the next interval.
  public void sweep() {
    sweeper.sweep();
  }

  // ---------------------------------------------------------------- pools

  /// Begins to probe the host and to keep sandboxes ready; returns at once. Whoever starts a server
  /// does so when it can already be asked.
  public void startPools() {
    drivers.startProbing();
    keeper.start();
  }

  /// Looks after the pools now, rather than at the next interval.
  void tendPools() {
    boolean _ = keeper.tend();
  }

  @Override
  public List<PoolStatus> pools() {
    return pools.status();
  }

  @Override
  public PoolStatus setPool(PoolBounds bounds) {
    lifecycle.checkLimits(bounds.limits());
    PoolStatus changed = pools.set(bounds);
    keeper.wake();
    return changed;
  }

  @Override
  public PoolTotals totals() {
    return keeper.totals();
  }

  // ---------------------------------------------------------------- sandboxes

  @Override
  public SandboxInfo create(Caller caller, SandboxSpec spec) {
    if (!spec.owner().equals(caller.owner())) {
      throw new SandboxException(ErrorCode.FORBIDDEN, "a sandbox can be made for oneself only");
    }
    return lifecycle.create(spec);
  }

  @Override
  public SandboxInfo get(Caller caller, SandboxRef sandbox) {
    return find(caller, sandbox).record().info();
  }

  @Override
  public List<SandboxInfo> list(Caller caller, SandboxFilter filter) {
    return registry.all().stream()
        .map(sandbox -> sandbox.record().info())
        .filter(info -> info.spec().owner().equals(caller.owner()))
        .filter(info -> matches(info, filter))
        .toList();
  }

  private static boolean matches(SandboxInfo info, SandboxFilter filter) {
    String namespace = filter.namespace();
    return (namespace == null || namespace.equals(info.spec().namespace()))
        && info.spec().labels().entrySet().containsAll(filter.labels().entrySet());
  }

  @Override
  public SandboxInfo start(Caller caller, SandboxRef sandbox) {
    return lifecycle.start(find(caller, sandbox));
  }

  @Override
  public SandboxInfo stop(Caller caller, SandboxRef sandbox) {
    return lifecycle.stop(find(caller, sandbox), EndReason.STOPPED);
  }

  @Override
  public void delete(Caller caller, SandboxRef sandbox) {
    lifecycle.delete(find(caller, sandbox), EndReason.STOPPED);
  }

  @Override
  public SandboxInfo extend(Caller caller, SandboxRef sandbox, TimeLimits limits) {
    return lifecycle.extend(find(caller, sandbox), limits);
  }

  // ---------------------------------------------------------------- runs

  @Override
  public RunHandle run(Caller caller, SandboxRef sandbox, RunRequest request) {
    return runs.collect(session(caller, sandbox), request);
  }

  @Override
  public Optional<RunHandle> runNow(Caller caller, SandboxRef sandbox, RunRequest request) {
    requireOpen();
    Session session = find(caller, sandbox).runningNow();
    if (session == null) {
      return Optional.empty();
    }
    session.touch();
    return Optional.of(runs.collect(session, request));
  }

  @Override
  public RunStream stream(Caller caller, SandboxRef sandbox, RunRequest request) {
    return runs.stream(session(caller, sandbox), request);
  }

  @Override
  public RunHandle command(Caller caller, SandboxRef sandbox, CommandRequest request) {
    return runs.collect(session(caller, sandbox), request);
  }

  @Override
  public RunStream stream(Caller caller, SandboxRef sandbox, CommandRequest request) {
    return runs.stream(session(caller, sandbox), request);
  }

  @Override
  public RunStream attach(Caller caller, SandboxRef sandbox, ObjectId run, long offset) {
    return runs.attach(session(caller, sandbox), run, offset);
  }

  @Override
  public void interrupt(Caller caller, SandboxRef sandbox, ObjectId run) {
    session(caller, sandbox).runs().find(run).interrupt(InterruptCause.CALLER);
  }

  @Override
  public void signal(Caller caller, SandboxRef sandbox, ObjectId run, int number, boolean group) {
    session(caller, sandbox).runs().find(run).signal(number, group);
  }

  // ---------------------------------------------------------------- contexts

  @Override
  public ContextInfo openContext(Caller caller, SandboxRef sandbox, ContextSpec spec) {
    Session session = session(caller, sandbox);
    String id =
        spec.id() != null ? spec.id() : "context-" + ObjectId.random().value().substring(0, 12);
    session.contexts().add(id, spec.language());
    try (Session.Use _ = session.use()) {
      session
          .agent()
          .openContext(
              new ContextRequest(
                  id, spec.language(), spec.environment(), spec.workingDirectory(), spec.user()));
      return session.contexts().info(id);
    } catch (RuntimeException e) {
      session.contexts().remove(id);
      throw e;
    }
  }

  @Override
  public List<ContextInfo> contexts(Caller caller, SandboxRef sandbox) {
    return session(caller, sandbox).contexts().list();
  }

  @Override
  public void closeContext(Caller caller, SandboxRef sandbox, String context) {
    Session session = session(caller, sandbox);
    session.contexts().requireClosable(context);
    try (Session.Use _ = session.use()) {
      session.agent().closeContext(context);
      session.contexts().remove(context);
    }
  }

  // ---------------------------------------------------------------- files

  @Override
  public FileSource readFile(Caller caller, SandboxRef sandbox, String path, String user) {
    return FileTransfers.read(session(caller, sandbox), path, user);
  }

  @Override
  public FileSink writeFile(Caller caller, SandboxRef sandbox, FileWrite file) {
    return FileTransfers.write(session(caller, sandbox), file);
  }

  // ---------------------------------------------------------------- what can be seen

  @Override
  public SandboxMetrics metrics(Caller caller, SandboxRef sandbox) {
    Sandbox found = find(caller, sandbox);
    SandboxRecord row = found.record();
    Session session = found.session();
    Usage usage = session == null ? null : usage(session);
    if (session == null || usage == null) {
      return metrics(row, false, 0, new Usage(Duration.ZERO, NOTHING, 0, NOTHING));
    }
    return metrics(row, true, session.cpuPercent(usage), usage);
  }

  private static final ByteSize NOTHING = new ByteSize(0);

  /// Null where it has just ended.
  private static @Nullable Usage usage(Session session) {
    try {
      return session.running().usage();
    } catch (RuntimeException e) {
      System.getLogger(Engine.class.getName())
          .log(System.Logger.Level.DEBUG, "a sandbox's use could not be read", e);
      return null;
    }
  }

  private static SandboxMetrics metrics(
      SandboxRecord row, boolean running, double cpuPercent, Usage usage) {
    return new SandboxMetrics(
        row.id(),
        row.spec().namespace(),
        row.spec().name().value(),
        running,
        cpuPercent,
        usage.memory(),
        usage.processes(),
        usage.disk());
  }

  @Override
  public List<LogEntry> logs(Caller caller, SandboxRef sandbox, long after, int limit) {
    return find(caller, sandbox).log().after(after, Math.clamp(limit, 0, MOST_LOG_LINES));
  }

  @Override
  public List<ImageInfo> images(Caller caller) {
    return images.list();
  }

  @Override
  public ServerStatus status() {
    var usable = drivers.usable();
    return new ServerStatus(
        !admission.isClosed(),
        startedAt,
        admission.running(),
        registry.size(),
        settings.maxSandboxes(),
        List.copyOf(usable.keySet()),
        usable);
  }

  private Sandbox find(Caller caller, SandboxRef ref) {
    return registry.find(caller, ref);
  }

  private Session session(Caller caller, SandboxRef ref) {
    requireOpen();
    Session session = find(caller, ref).running(settings.timings().busy());
    session.touch();
    return session;
  }

  private void requireOpen() {
    if (left) {
      throw new SandboxException(ErrorCode.SHUTTING_DOWN, "the server is stopping");
    }
  }

  // ---------------------------------------------------------------- end

  /// Leaves all sandboxes to the next server of this home, with all that runs in them. What waits
  /// for a run is answered now; nothing more can be run. [#close] ends none then.
  public void letGo() {
    admission.close();
    left = true;
    for (Sandbox sandbox : registry.all()) {
      Session session = sandbox.session();
      if (session != null) {
        session.letGo();
      }
    }
    journal.write();
  }

  /// Ends all sandboxes, side by side, and lets go of the home. Bounded by `shutdown-timeout`; what
  /// resists longer is ended at the next start.
  @Override
  public void close() {
    admission.close();
    keeper.close();
    if (!left) {
      new Shutdown(lifecycle, registry, settings.timings().shutdown()).run();
    }
    timers.close();
    drivers.close();
    database.close();
    lock.close();
  }
}
