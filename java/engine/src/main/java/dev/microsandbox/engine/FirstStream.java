package dev.microsandbox.engine;

import dev.microsandbox.agent.InterruptCause;
import dev.microsandbox.model.ObjectId;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/// The view that a run was started with. When its reader leaves, the view below stays open without
/// him, for it tells of the run's end.
final class FirstStream implements RunStream {
  private final Run run;
  private final StreamingSink sink;
  private final AtomicBoolean left = new AtomicBoolean();

  FirstStream(Run run, StreamingSink sink) {
    this.run = run;
    this.sink = sink;
  }

  @Override
  public ObjectId id() {
    return run.id();
  }

  @Override
  public @Nullable RunEvent next(Duration patience) throws InterruptedException {
    StreamingSink.Taken taken = sink.next(patience);
    run.view().grant(taken.grant());
    return taken.event();
  }

  @Override
  public void write(byte[] input) throws IOException {
    run.view().write(input);
  }

  @Override
  public void endInput() {
    run.view().endInput();
  }

  @Override
  public void interrupt() {
    run.interrupt(InterruptCause.CALLER);
  }

  @Override
  public void abandon() {
    if (left.compareAndSet(false, true)) {
      run.abandoned();
      letGo();
    }
  }

  @Override
  public void close() {
    if (left.compareAndSet(false, true)) {
      run.unwatch();
      letGo();
    }
  }

  private void letGo() {
    run.view().grant(sink.release());
    sink.clear();
  }
}
