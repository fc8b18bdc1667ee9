package dev.microsandbox.engine;

import dev.microsandbox.agent.InterruptCause;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.SandboxException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/// Starts cells and commands in sessions, and hands out views of them.
final class Runs {
  private final EngineSettings settings;

  Runs(EngineSettings settings) {
    this.settings = settings;
  }

  RunHandle collect(Session session, RunRequest request) {
    Work.Cell work = cell(session, request);
    CollectingSink sink =
        new CollectingSink(work.id(), work.context(), limit(request.outputLimit()));
    return collect(session, work, request.timeout(), request.keepRunning(), sink);
  }

  RunHandle collect(Session session, CommandRequest request) {
    if (request.openStdin()) {
      throw new SandboxException(
          ErrorCode.INVALID_REQUEST,
          "input that follows needs a streamed command",
          Map.of("field", "stdin"));
    }
    Work.Command work = new Work.Command(ObjectId.random(), request);
    CollectingSink sink = new CollectingSink(work.id(), "", limit(request.outputLimit()));
    return collect(session, work, request.timeout(), request.keepRunning(), sink);
  }

  RunStream stream(Session session, RunRequest request) {
    return stream(session, cell(session, request), request.timeout(), request.keepRunning());
  }

  RunStream stream(Session session, CommandRequest request) {
    return stream(
        session,
        new Work.Command(ObjectId.random(), request),
        request.timeout(),
        request.keepRunning());
  }

  /// A further view, also of a run that has ended lately.
  RunStream attach(Session session, ObjectId id, long offset) {
    if (offset < 0) {
      throw new SandboxException(
          ErrorCode.INVALID_REQUEST, "an offset cannot be negative", Map.of("field", "offset"));
    }
    Run run = session.runs().find(id);
    run.watch();
    StreamingSink sink = new StreamingSink();
    RunView view =
        new RunView(
            id,
            (_, _, _) -> {
              throw new SandboxException(ErrorCode.RUN_NOT_FOUND, "the run has not begun");
            },
            sink,
            new RunView.Owner(end -> sink.finished(run.verdict(end)), sink::failed),
            true,
            offset);
    Session.Use use = session.use();
    FurtherStream stream = new FurtherStream(session, run, view, sink, use);
    session.addView(view);
    return stream;
  }

  private static Work.Cell cell(Session session, RunRequest request) {
    return new Work.Cell(
        ObjectId.random(), session.contexts().resolve(request.context()), request.code());
  }

  private RunHandle collect(
      Session session,
      Work work,
      @Nullable Duration timeout,
      boolean keepRunning,
      CollectingSink sink) {
    Run run = new Run(session, work, timeout(timeout), keepRunning, sink);
    session.begin(run);
    return new Collected(run, sink.collected());
  }

  private RunStream stream(
      Session session, Work work, @Nullable Duration timeout, boolean keepRunning) {
    StreamingSink sink = new StreamingSink();
    Run run = new Run(session, work, timeout(timeout), keepRunning, sink);
    session.begin(run);
    return new FirstStream(run, sink);
  }

  private Duration timeout(@Nullable Duration asked) {
    return asked == null ? settings.runTimeout() : asked;
  }

  private static int limit(@Nullable Integer asked) {
    return asked == null ? RunLimits.DEFAULT_OUTPUT : asked;
  }

  /// A run whose output is collected.
  private record Collected(Run run, CompletableFuture<RunResult> result) implements RunHandle {
    @Override
    public ObjectId id() {
      return run.id();
    }

    @Override
    public RunResult await() throws InterruptedException {
      try {
        return result.get();
      } catch (ExecutionException e) {
        if (e.getCause() instanceof SandboxException known) {
          // A new one, for its stack should tell of this thread as well.
          throw new SandboxException(known.code(), known.message(), known.details(), known);
        }
        throw new IllegalStateException("a run ended in an unforeseen way", e);
      }
    }

    @Override
    public CompletableFuture<RunResult> ended() {
      return result.copy();
    }

    @Override
    public void interrupt() {
      run.interrupt(InterruptCause.CALLER);
    }

    @Override
    public void abandon() {
      run.abandoned();
    }
  }
}
