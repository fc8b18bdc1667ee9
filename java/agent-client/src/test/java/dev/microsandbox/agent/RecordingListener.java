package dev.microsandbox.agent;

import dev.microsandbox.model.SandboxException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// Notes all that happens to a cell or process, and how it ended.
public final class RecordingListener implements ObjectListener {
  private final ByteArrayOutputStream stdout = new ByteArrayOutputStream();
  private final ByteArrayOutputStream stderr = new ByteArrayOutputStream();
  private final List<String> events = new ArrayList<>();
  private final CompletableFuture<ObjectEnd> end = new CompletableFuture<>();
  private final CompletableFuture<Long> opened = new CompletableFuture<>();
  private final CompletableFuture<Integer> started = new CompletableFuture<>();

  @Override
  public void onOpened(long offset) {
    opened.complete(offset);
  }

  @Override
  public void onStarted(int pid, int cellNumber) {
    started.complete(pid);
    note("started");
  }

  @Override
  public void onOutput(Lane lane, ByteBuffer bytes) {
    byte[] copy = new byte[bytes.remaining()];
    bytes.get(copy);
    (lane == Lane.STDOUT ? stdout : stderr).writeBytes(copy);
    note(lane.name().toLowerCase(java.util.Locale.ROOT));
  }

  @Override
  public void onResult(Map<String, String> data, List<String> omitted) {
    note("result " + data.get("text/plain"));
  }

  @Override
  public void onError(String name, String message, String traceback) {
    note("error " + name + ": " + message);
  }

  @Override
  public void onFinished(ObjectEnd outcome) {
    note("finished");
    end.complete(outcome);
  }

  @Override
  public void onLost(SandboxException reason) {
    note("lost " + reason.code().wireName());
    end.completeExceptionally(reason);
  }

  public ObjectEnd awaitEnd() throws Exception {
    return end.get(20, TimeUnit.SECONDS);
  }

  public int awaitStarted() throws Exception {
    return started.get(20, TimeUnit.SECONDS);
  }

  public long awaitOpened() throws Exception {
    return opened.get(20, TimeUnit.SECONDS);
  }

  public CompletableFuture<ObjectEnd> end() {
    return end;
  }

  public String stdout() {
    return stdout.toString(StandardCharsets.UTF_8);
  }

  public String stderr() {
    return stderr.toString(StandardCharsets.UTF_8);
  }

  public synchronized List<String> events() {
    return List.copyOf(events);
  }

  private synchronized void note(String event) {
    events.add(event);
  }
}
