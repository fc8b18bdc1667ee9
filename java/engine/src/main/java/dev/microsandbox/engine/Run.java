package dev.microsandbox.engine;

import dev.microsandbox.agent.InterruptCause;
import dev.microsandbox.agent.ObjectEnd;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.Outcome;
import dev.microsandbox.model.SandboxException;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/// One cell or command from its arrival to its end: it waits for its context, runs, may be
/// interrupted or run out of time, and ends exactly once.
///
/// Its first view stays open whoever watches, for it tells of the end.
final class Run {
  private static final int SIGKILL = 9;

  private final Session session;
  private final Work work;
  private final Duration timeout;
  private final boolean keepRunning;
  private final RunView view;
  private final @Nullable ContextQueue queue;
  private final List<Future<?>> timers = new ArrayList<>();
  private State state = State.NEW;
  private @Nullable InterruptCause interrupted;
  private RunEvent.@Nullable Finished verdict;
  private @Nullable RunRecord journaled;
  private boolean holdsPlace;
  private boolean wasOver;
  private int watchers = 1;
  private long submittedAt;
  private long oomKillsBefore = -1;

  private enum State {
    NEW,
    WAITING,
    RUNNING,
    ENDED
  }

  /// @param timeout zero for none
  Run(Session session, Work work, Duration timeout, boolean keepRunning, RunSink sink) {
    this(session, work, timeout, keepRunning, new First(sink, false, 0));
  }

  /// How the first view begins.
  ///
  /// @param made whether the object exists already
  private record First(RunSink sink, boolean made, long offset) {}

  private Run(Session session, Work work, Duration timeout, boolean keepRunning, First first) {
    this.session = session;
    this.work = work;
    this.timeout = timeout;
    this.keepRunning = keepRunning;
    String context = work.context();
    this.queue = context == null ? null : session.contexts().queue(context);
    this.view =
        new RunView(
            work.id(),
            work::open,
            first.sink(),
            new RunView.Owner(end -> conclude(verdict(end)), this::fail),
            first.made(),
            first.offset());
  }

  /// One that an earlier server began. Nobody waits for it: its output is left in the agent for
  /// those who attach.
  ///
  /// @param offset the end of its output so far
  static Run begun(Session session, RunRecord begun, long offset) {
    Work work = new Work.Begun(begun.id(), begun.context());
    First first = new First(new UnwatchedSink(), true, offset);
    return new Run(session, work, Duration.ZERO, begun.keepRunning(), first);
  }

  ObjectId id() {
    return work.id();
  }

  RunView view() {
    return view;
  }

  /// Takes its place; returns at once.
  ///
  /// @throws SandboxException where there is no place
  void begin() {
    synchronized (this) {
      state = State.WAITING;
    }
    boolean now;
    if (queue == null) {
      enterCommand();
      now = true;
    } else {
      now = queue.enter(this);
    }
    if (now) {
      submit();
    }
  }

  private void enterCommand() {
    session.enterCommand();
    synchronized (this) {
      holdsPlace = true;
    }
  }

  /// Goes on with one that an earlier server began.
  ///
  /// @param live whether it needs a place, for it has not ended yet
  /// @throws SandboxException where there is no place
  void resume(RunRecord begun, boolean live) {
    if (live && queue != null) {
      boolean _ = queue.enter(this);
    } else if (live) {
      enterCommand();
    }
    synchronized (this) {
      state = State.RUNNING;
      watchers = 0;
      wasOver = !live;
      journaled = begun;
      oomKillsBefore = begun.oomKills();
      Instant now = session.clock().now();
      submittedAt = session.clock().nanos() - Duration.between(begun.began(), now).toNanos();
      if (begun.deadline() != null) {
        Duration left = Duration.between(now, begun.deadline());
        Duration wait = left.isNegative() ? Duration.ZERO : left;
        timers.add(session.timers().after(wait, () -> interrupt(InterruptCause.TIMEOUT)));
      }
    }
    session.open(view);
  }

  /// It is its turn.
  private void submit() {
    synchronized (this) {
      if (state != State.WAITING) {
        return;
      }
      state = State.RUNNING;
      submittedAt = session.clock().nanos();
      if (timeout.isPositive()) {
        timers.add(session.timers().after(timeout, () -> interrupt(InterruptCause.TIMEOUT)));
      }
    }
    session.open(view);
    noteOomKills();
    session.journal().begun(this);
    if (work instanceof Work.Command(_, CommandRequest request)
        && request.stdin() != null
        && request.readsInput()) {
      Thread.startVirtualThread(() -> feed(request));
    }
  }

  /// What a later server is to know of it; null where that is of no use any more.
  synchronized @Nullable RunRecord record() {
    if (state != State.RUNNING) {
      return null;
    }
    if (journaled == null) {
      Instant began = session.clock().now().minus(elapsed());
      journaled =
          new RunRecord(
              session.running().id(),
              id(),
              work.context(),
              keepRunning,
              began,
              timeout.isPositive() ? began.plus(timeout) : null,
              Math.max(0, oomKillsBefore));
    }
    return journaled;
  }

  /// Asked while the cell runs, for the answer costs some microseconds.
  private void noteOomKills() {
    long now = session.oomKills();
    synchronized (this) {
      oomKillsBefore = now;
    }
  }

  private void feed(CommandRequest request) {
    byte[] stdin = request.stdin();
    try {
      if (stdin != null && stdin.length > 0) {
        view.write(stdin);
      }
    } catch (IOException _) {
      return; // the program has ended or does not want it; its outcome tells
    }
    if (!request.openStdin()) {
      view.endInput();
    }
  }

  /// Opens its first view on a new channel.
  void reopen() {
    InterruptCause cause;
    synchronized (this) {
      if (state != State.RUNNING) {
        return;
      }
      cause = interrupted;
    }
    session.open(view);
    if (cause != null) {
      session.sendInterrupt(id(), cause);
    }
  }

  /// Asks it to stop, and sees to it that it does.
  void interrupt(InterruptCause cause) {
    boolean waiting;
    synchronized (this) {
      if (state == State.ENDED || interrupted != null) {
        return;
      }
      interrupted = cause;
      waiting = state != State.RUNNING;
      if (!waiting) {
        Duration grace = session.timings().interruptGrace();
        timers.add(session.timers().after(grace, this::killCommand));
        timers.add(
            session
                .timers()
                .after(grace.plus(session.timings().agentPatience()), this::giveUpOnAgent));
      }
    }
    if (waiting) {
      conclude(new RunEvent.Finished(Outcome.INTERRUPTED, null, null, false, Duration.ZERO));
      return;
    }
    // Its reader must not hold the program up any more, or its end would never be seen.
    view.grant(view.sink().release());
    session.sendInterrupt(id(), cause);
  }

  /// Sends a signal to a command.
  void signal(int number, boolean group) {
    if (work.context() != null) {
      throw new SandboxException(
          ErrorCode.INVALID_REQUEST, "only commands take signals; interrupt the cell instead");
    }
    if (!hasEnded()) {
      session.agent().signal(id(), number, group);
    }
  }

  /// The agent kills a cell's interpreter by itself; a command that resists is the host's to kill.
  private void killCommand() {
    if (work.context() == null && !hasEnded()) {
      session.sendKill(id());
    }
  }

  private void giveUpOnAgent() {
    if (!hasEnded()) {
      session.agentLost("a run that was to be stopped has not ended in time");
    }
  }

  /// The server lets go of it; who waits is told how to come back.
  void letGo() {
    boolean begun;
    synchronized (this) {
      begun = state == State.RUNNING;
    }
    String fate =
        begun
            ? "the server stops, but the run goes on: attach to it when the server is back"
            : "the server stops, and the run has not begun";
    view.sink().failed(new SandboxException(ErrorCode.SHUTTING_DOWN, fate));
  }

  /// Somebody else watches.
  synchronized void watch() {
    watchers++;
  }

  /// A watcher has left, and would have it end where nobody else watches.
  void abandoned() {
    boolean last;
    synchronized (this) {
      watchers--;
      last = watchers <= 0;
    }
    if (last && !keepRunning) {
      interrupt(InterruptCause.CALLER);
    }
  }

  /// A watcher has left and does not mind.
  synchronized void unwatch() {
    watchers--;
  }

  /// Whether it had ended before this server knew of it.
  synchronized boolean wasOver() {
    return wasOver;
  }

  synchronized boolean hasEnded() {
    return state == State.ENDED;
  }

  /// What an end by the agent's word means, by the host's knowledge; the same for every view.
  RunEvent.Finished verdict(ObjectEnd end) {
    boolean killed = end.outcome() == Outcome.SIGNALED && end.signal() == SIGKILL;
    boolean outOfMemory = (end.oomSuspected() || killed) && oomKillsRose();
    if (outOfMemory) {
      session.journal().used(session);
    }
    synchronized (this) {
      if (verdict == null) {
        verdict = judge(end, outOfMemory);
      }
      return verdict;
    }
  }

  private boolean oomKillsRose() {
    long before;
    synchronized (this) {
      if (interrupted != null || oomKillsBefore < 0) {
        return false;
      }
      before = oomKillsBefore;
    }
    return session.oomKills() > before;
  }

  private RunEvent.Finished judge(ObjectEnd end, boolean outOfMemory) {
    Outcome outcome = outOfMemory ? Outcome.OUT_OF_MEMORY : outcome(end.outcome());
    boolean exited = outcome == Outcome.EXITED;
    boolean signaled = outcome == Outcome.SIGNALED || outcome == Outcome.OUT_OF_MEMORY;
    return new RunEvent.Finished(
        outcome,
        exited ? (Integer) end.exitCode() : null,
        signaled ? (Integer) (outOfMemory ? SIGKILL : end.signal()) : null,
        end.stateLost(),
        elapsed());
  }

  private Outcome outcome(Outcome said) {
    boolean stopped =
        work.context() == null || said == Outcome.SIGNALED || said == Outcome.INTERRUPTED;
    if (interrupted != null && stopped) {
      return interrupted == InterruptCause.TIMEOUT ? Outcome.TIMED_OUT : Outcome.INTERRUPTED;
    }
    if (session.isEnding() && said == Outcome.SIGNALED) {
      return Outcome.SANDBOX_ENDED;
    }
    return said;
  }

  private synchronized Duration elapsed() {
    return submittedAt == 0
        ? Duration.ZERO
        : Duration.ofNanos(session.clock().nanos() - submittedAt);
  }

  /// The sandbox ended first.
  void sandboxEnded(Outcome outcome) {
    RunEvent.Finished end;
    synchronized (this) {
      if (verdict == null) {
        verdict = new RunEvent.Finished(outcome, null, null, true, elapsed());
      }
      end = verdict;
    }
    conclude(end);
  }

  private void conclude(RunEvent.Finished end) {
    if (leave()) {
      synchronized (this) {
        verdict = end;
      }
      view.sink().finished(end);
    }
  }

  private void fail(SandboxException reason) {
    if (!leave()) {
      return;
    }
    SandboxException shown =
        reason.code() == ErrorCode.AGENT_LOST
            ? new SandboxException(
                ErrorCode.SANDBOX_ENDED, "the sandbox ended before the run began")
            : reason;
    session.forget(id());
    view.sink().failed(shown);
  }

  /// The end of its part in the sandbox; true once.
  private boolean leave() {
    boolean placed;
    RunRecord written;
    synchronized (this) {
      if (state == State.ENDED) {
        return false;
      }
      placed = holdsPlace;
      holdsPlace = false;
      written = journaled;
      state = State.ENDED;
      timers.forEach(timer -> timer.cancel(false));
      timers.clear();
    }
    Run next = queue == null ? null : queue.leave(this);
    if (placed) {
      session.leaveCommand();
    }
    if (written != null) {
      session.journal().over(written);
    }
    session.ended(this);
    if (next != null) {
      next.submit();
    }
    return true;
  }
}
