package dev.microsandbox.engine;

import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.SandboxException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// Gathers a run into one result. Never holds the program up; keeps the first and last part of each
/// output.
final class CollectingSink implements RunSink {
  private final ObjectId id;
  private final String context;
  private final OutputText stdout;
  private final OutputText stderr;
  private final CompletableFuture<RunResult> collected = new CompletableFuture<>();
  private Map<String, String> data = Map.of();
  private List<String> omitted = List.of();
  private RunResult.@Nullable RunError error;

  CollectingSink(ObjectId id, String context, int limit) {
    this.id = id;
    this.context = context;
    stdout = new OutputText(limit);
    stderr = new OutputText(limit);
  }

  CompletableFuture<RunResult> collected() {
    return collected;
  }

  @Override
  public void started() {}

  @Override
  public synchronized int output(RunEvent.Source source, ByteBuffer bytes, long offset) {
    int size = bytes.remaining();
    switch (source) {
      case STDOUT -> stdout.append(bytes);
      case STDERR -> stderr.append(bytes);
    }
    return size;
  }

  @Override
  public synchronized void result(Map<String, String> value, List<String> leftOut) {
    data = value;
    omitted = leftOut;
  }

  @Override
  public synchronized void raised(RunResult.RunError raised) {
    error = raised;
  }

  @Override
  public void finished(RunEvent.Finished end) {
    collected.complete(result(end));
  }

  private synchronized RunResult result(RunEvent.Finished end) {
    return new RunResult(
        id,
        context,
        end.outcome(),
        stdout.text(),
        stderr.text(),
        data,
        omitted,
        error,
        end.exitCode(),
        end.signal(),
        end.stateLost(),
        end.duration());
  }

  @Override
  public void failed(SandboxException reason) {
    collected.completeExceptionally(reason);
  }

  @Override
  public int release() {
    return 0;
  }
}
