package dev.microsandbox;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A sandbox with interpreters that keep their state between runs.
///
/// Methods wait for the answer and throw a [SandboxException] by the code of what went wrong; what
/// the code inside does wrong is a result. An interrupt of the calling thread ends the call with a
/// [java.util.concurrent.CancellationException], and by that the run. May be used from several
/// threads.
public abstract class BaseSandbox implements AutoCloseable {
  private final Session session;
  private final @Nullable String language;
  private final Map<String, @Nullable Object> wanted;
  private final Duration startTimeout;
  private final Command command;
  private final Files files;
  private final Metrics metrics;
  private final Contexts contexts;
  private volatile boolean ephemeral;
  private volatile boolean owned;

  /// A sandbox that is not started yet.
  ///
  /// @param language of its cells, as the server names it; the image's first where null
  /// @param defaultImage that is used where the builder names none
  protected BaseSandbox(SandboxBuilder<?> builder, @Nullable String language, String defaultImage) {
    this.session = builder.session();
    this.language = language;
    this.wanted = builder.toJson(session, defaultImage);
    this.startTimeout = builder.startTimeout();
    this.ephemeral = builder.ephemeral();
    this.command = new Command(session);
    this.files = new Files(session);
    this.metrics = new Metrics(session);
    this.contexts = new Contexts(session);
  }

  /// Its name, made up where none was given.
  public String name() {
    return session.name();
  }

  /// The namespace in which its name is unique.
  public String namespace() {
    return session.namespace();
  }

  /// Whether it was running when this object last started, stopped or looked at it.
  public boolean isStarted() {
    return session.isStarted();
  }

  /// Runs programs in it.
  public Command command() {
    return command;
  }

  /// Reads and writes its files.
  public Files files() {
    return files;
  }

  /// Tells what it uses.
  public Metrics metrics() {
    return metrics;
  }

  /// Its interpreters.
  public Contexts contexts() {
    return contexts;
  }

  /// The same sandbox, with calls that do not wait.
  public AsyncSandbox async() {
    return new AsyncSandbox(this);
  }

  /// Creates it and waits until it is usable. One that was stopped and keeps its disk runs again,
  /// with fresh interpreters. Nothing happens where it runs already.
  ///
  /// @throws SandboxException `name_taken` where it is to be created and another has its name
  public void start() {
    if (session.isStarted()) {
      return;
    }
    Call call = session.isKnown() ? session.post("/start") : Call.post("/v1/sandboxes", wanted);
    session.adopt(session.ask(call.within(startTimeout)));
    owned = true;
  }

  /// Looks at it where it exists, and goes on from there.
  void adopt() {
    ephemeral = session.adopt(session.ask(session.get(""))).ephemeral();
  }

  /// Ends its processes and keeps its disk; an ephemeral one is removed. Nothing happens where it
  /// does not run.
  public void stop() {
    if (session.isStarted()) {
      end(session.post("/stop"));
      session.ended(ephemeral);
    }
  }

  /// Ends it and removes all that there is of it, its disk too. Nothing happens where it is gone
  /// already.
  public void delete() {
    end(Call.delete(session.path("", new Query())));
    session.ended(true);
  }

  /// It may have ended by itself.
  private void end(Call call) {
    try {
      session.ask(call);
    } catch (SandboxException e) {
      if (e.code() != ErrorCode.SANDBOX_NOT_FOUND && e.code() != ErrorCode.SANDBOX_NOT_RUNNING) {
        throw e;
      }
    }
  }

  /// Stops it where this object has started it; one that it was connected to goes on.
  @Override
  public void close() {
    if (owned) {
      stop();
    }
  }

  /// What the server knows of it.
  public SandboxInfo info() {
    return SandboxInfo.of(session.json(session.get("")));
  }

  /// Lets it live longer, or shorter, and counts as use.
  ///
  /// @param timeToLive from now; zero for no limit; null to leave it
  /// @param idleTimeout zero for never; null to leave it
  public SandboxInfo extend(@Nullable Duration timeToLive, @Nullable Duration idleTimeout) {
    Map<String, @Nullable Object> body = new LinkedHashMap<>();
    body.put("time_to_live", Call.seconds(timeToLive));
    body.put("idle_timeout", Call.seconds(idleTimeout));
    return SandboxInfo.of(session.json(Call.patch(session.path("", new Query()), body)));
  }

  /// Runs a cell and waits for its end.
  public Execution run(String code) {
    return run(code, RunOptions.DEFAULT);
  }

  /// Runs a cell within a time limit and waits for its end.
  ///
  /// @param timeout until it is interrupted; zero for no limit
  public Execution run(String code, Duration timeout) {
    return run(code, RunOptions.builder().timeout(timeout).build());
  }

  /// Runs a cell and waits for its end.
  public Execution run(String code, RunOptions options) {
    return Cells.run(session, code, language, options);
  }

  /// Runs a cell and gives its events as they happen. Close the stream: closing it before its end
  /// interrupts the cell. The program inside waits while nobody reads.
  public Stream<RunEvent> stream(String code) {
    return stream(code, RunOptions.DEFAULT);
  }

  /// Runs a cell and gives its events as they happen. Close the stream: closing it before its end
  /// interrupts the cell.
  public Stream<RunEvent> stream(String code, RunOptions options) {
    return EventStreams.of(Cells.events(session, code, language, options));
  }

  /// Runs a cell, gives its events as they happen, and returns the last. A consumer that throws
  /// interrupts the cell.
  public RunEvent.Finished stream(String code, Consumer<? super RunEvent> events) {
    return stream(code, RunOptions.DEFAULT, events);
  }

  /// Runs a cell, gives its events as they happen, and returns the last. A consumer that throws
  /// interrupts the cell.
  public RunEvent.Finished stream(
      String code, RunOptions options, Consumer<? super RunEvent> events) {
    return EventStreams.each(() -> Cells.events(session, code, language, options), events);
  }

  /// The events of a cell or command that goes on, or has ended lately, from its beginning; what is
  /// no longer kept of its output is left out.
  public Stream<RunEvent> attach(String runId) {
    return attach(runId, 0);
  }

  /// The events of a cell or command that goes on, or has ended lately.
  ///
  /// @param offset of the output to begin with, as [RunEvent.Output#offset] gives it
  public Stream<RunEvent> attach(String runId, long offset) {
    return EventStreams.of(Cells.attach(session, runId, offset));
  }

  /// The events of a cell or command that goes on, or has ended lately, one by one; returns the
  /// last.
  ///
  /// @param offset of the output to begin with, as [RunEvent.Output#offset] gives it
  public RunEvent.Finished attach(String runId, long offset, Consumer<? super RunEvent> events) {
    return EventStreams.each(() -> Cells.attach(session, runId, offset), events);
  }

  /// Stops a cell or command; its outcome will be [Outcome#INTERRUPTED]. Harmless after its end.
  public void interrupt(String runId) {
    session.bytes(session.post("/runs/" + Call.escape(runId) + "/interrupt"));
  }

  /// Its log, the oldest line first.
  public List<LogLine> logs() {
    return logs(0, 1_000);
  }

  /// Lines of its log, the oldest first.
  ///
  /// @param after only lines past this sequence number
  /// @param limit at most so many, 1 to 1000
  public List<LogLine> logs(long after, int limit) {
    Query query = new Query().add("after", after).add("limit", limit);
    return session.json(Call.get(session.path("/logs", query))).objects("entries", LogLine::of);
  }

  @Override
  public String toString() {
    return getClass().getSimpleName() + "[" + name() + "]";
  }
}
