package dev.microsandbox;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A sandbox whose calls do not wait: each is made on a virtual thread of its own.
///
/// A future fails with the [SandboxException] that the call would throw. To cancel the future that
/// a method here returned ends the call, and with that the run, unless it was to keep running;
/// futures made of it, by `thenApply` for example, do not pass a cancel on.
public final class AsyncSandbox {
  private final BaseSandbox sandbox;

  AsyncSandbox(BaseSandbox sandbox) {
    this.sandbox = sandbox;
  }

  /// Any call to the sandbox or its parts, as in `call(s -> s.files().readText("a.txt"))`.
  public <T> CompletableFuture<T> call(Function<BaseSandbox, ? extends T> call) {
    return Async.call(() -> call.apply(sandbox));
  }

  /// See [BaseSandbox#start()].
  public CompletableFuture<Void> start() {
    return Async.run(sandbox::start);
  }

  /// See [BaseSandbox#stop()].
  public CompletableFuture<Void> stop() {
    return Async.run(sandbox::stop);
  }

  /// See [BaseSandbox#delete()].
  public CompletableFuture<Void> delete() {
    return Async.run(sandbox::delete);
  }

  /// See [BaseSandbox#info()].
  public CompletableFuture<SandboxInfo> info() {
    return Async.call(sandbox::info);
  }

  /// See [BaseSandbox#extend(Duration, Duration)].
  public CompletableFuture<SandboxInfo> extend(
      @Nullable Duration timeToLive, @Nullable Duration idleTimeout) {
    return Async.call(() -> sandbox.extend(timeToLive, idleTimeout));
  }

  /// See [BaseSandbox#run(String)].
  public CompletableFuture<Execution> run(String code) {
    return run(code, RunOptions.DEFAULT);
  }

  /// See [BaseSandbox#run(String, Duration)].
  public CompletableFuture<Execution> run(String code, Duration timeout) {
    return Async.call(() -> sandbox.run(code, timeout));
  }

  /// See [BaseSandbox#run(String, RunOptions)].
  public CompletableFuture<Execution> run(String code, RunOptions options) {
    return Async.call(() -> sandbox.run(code, options));
  }

  /// See [BaseSandbox#stream(String, Consumer)]; the consumer is called on the call's thread.
  public CompletableFuture<RunEvent.Finished> stream(
      String code, Consumer<? super RunEvent> events) {
    return stream(code, RunOptions.DEFAULT, events);
  }

  /// See [BaseSandbox#stream(String, RunOptions, Consumer)]; the consumer is called on the call's
  /// thread.
  public CompletableFuture<RunEvent.Finished> stream(
      String code, RunOptions options, Consumer<? super RunEvent> events) {
    return Async.call(() -> sandbox.stream(code, options, events));
  }

  /// See [BaseSandbox#attach(String, long, Consumer)]; the consumer is called on the call's thread.
  public CompletableFuture<RunEvent.Finished> attach(
      String runId, long offset, Consumer<? super RunEvent> events) {
    return Async.call(() -> sandbox.attach(runId, offset, events));
  }

  /// See [BaseSandbox#interrupt(String)].
  public CompletableFuture<Void> interrupt(String runId) {
    return Async.run(() -> sandbox.interrupt(runId));
  }

  /// See [BaseSandbox#logs(long, int)].
  public CompletableFuture<List<LogLine>> logs(long after, int limit) {
    return Async.call(() -> sandbox.logs(after, limit));
  }

  /// Runs programs; see [Command].
  public AsyncCommand command() {
    return new AsyncCommand(sandbox.command());
  }

  /// Reads and writes files; see [Files].
  public AsyncFiles files() {
    return new AsyncFiles(sandbox.files());
  }

  /// Its interpreters; see [Contexts].
  public AsyncContexts contexts() {
    return new AsyncContexts(sandbox.contexts());
  }

  /// Everything that it uses, of one moment; see [Metrics#all()].
  public CompletableFuture<MetricsData> metrics() {
    return Async.call(() -> sandbox.metrics().all());
  }
}
