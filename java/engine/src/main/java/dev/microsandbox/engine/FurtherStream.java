package dev.microsandbox.engine;

import dev.microsandbox.agent.InterruptCause;
import dev.microsandbox.model.ObjectId;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/// A view that was opened later, beside the first.
final class FurtherStream implements RunStream {
  private final Session session;
  private final Run run;
  private final RunView view;
  private final StreamingSink sink;
  private final Session.Use use;
  private final AtomicBoolean left = new AtomicBoolean();

  FurtherStream(Session session, Run run, RunView view, StreamingSink sink, Session.Use use) {
    this.session = session;
    this.run = run;
    this.view = view;
    this.sink = sink;
    this.use = use;
  }

  @Override
  public ObjectId id() {
    return run.id();
  }

  @Override
  public @Nullable RunEvent next(Duration patience) throws InterruptedException {
    StreamingSink.Taken taken = sink.next(patience);
    view.grant(taken.grant());
    return taken.event();
  }

  @Override
  public void write(byte[] input) throws IOException {
    throw new IOException("only the view that started a command writes to it");
  }

  @Override
  public void endInput() {}

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
    session.removeView(view);
    view.detach();
    sink.clear();
    use.close();
  }
}
