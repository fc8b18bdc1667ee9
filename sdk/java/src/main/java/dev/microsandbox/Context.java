package dev.microsandbox;

import java.time.Duration;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// An interpreter with a state of its own, which is lost when it is closed.
public final class Context implements AutoCloseable {
  private final Session session;
  private final String id;
  private final String language;

  Context(Session session, ContextInfo info) {
    this.session = session;
    this.id = info.id();
    this.language = info.language();
  }

  /// Its id, for [RunOptions#context].
  public String id() {
    return id;
  }

  /// The language of its cells.
  public String language() {
    return language;
  }

  /// Runs a cell and waits for its end.
  public Execution run(String code) {
    return run(code, RunOptions.DEFAULT);
  }

  /// Runs a cell within a time limit and waits for its end.
  public Execution run(String code, Duration timeout) {
    return run(code, RunOptions.builder().timeout(timeout).build());
  }

  /// Runs a cell and waits for its end.
  public Execution run(String code, RunOptions options) {
    return Cells.run(session, code, null, options.inContext(id));
  }

  /// Runs a cell and gives its events as they happen. Close the stream: closing it before its end
  /// interrupts the cell.
  public Stream<RunEvent> stream(String code) {
    return stream(code, RunOptions.DEFAULT);
  }

  /// Runs a cell and gives its events as they happen. Close the stream: closing it before its end
  /// interrupts the cell.
  public Stream<RunEvent> stream(String code, RunOptions options) {
    return EventStreams.of(Cells.events(session, code, null, options.inContext(id)));
  }

  /// Runs a cell, gives its events as they happen, and returns the last.
  public RunEvent.Finished stream(
      String code, RunOptions options, Consumer<? super RunEvent> events) {
    return EventStreams.each(
        () -> Cells.events(session, code, null, options.inContext(id)), events);
  }

  /// Ends the interpreter. Nothing happens where it, or its sandbox, has ended already.
  @Override
  public void close() {
    try {
      session.bytes(Call.delete(session.path("/contexts/" + Call.escape(id), new Query())));
    } catch (SandboxException e) {
      switch (e.code()) {
        case CONTEXT_NOT_FOUND, SANDBOX_NOT_FOUND, SANDBOX_NOT_RUNNING -> {}
        default -> throw e;
      }
    }
  }
}
