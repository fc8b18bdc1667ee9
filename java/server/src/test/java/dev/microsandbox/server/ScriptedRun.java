package dev.microsandbox.server;

import dev.microsandbox.engine.RunEvent;
import dev.microsandbox.engine.RunHandle;
import dev.microsandbox.engine.RunResult;
import dev.microsandbox.engine.RunResult.CollectedText;
import dev.microsandbox.engine.RunStream;
import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.Outcome;
import dev.microsandbox.model.SandboxException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// A run that tells a prepared story, or waits until somebody ends it.
final class ScriptedRun {
  private final ObjectId id = ObjectId.random();
  private final String context;
  private final Script script;
  final CountDownLatch ended = new CountDownLatch(1);
  final CountDownLatch abandoned = new CountDownLatch(1);
  final AtomicInteger taken = new AtomicInteger();

  /// @param unending it goes on until it is interrupted; its last event is repeated where
  ///   `flooding`
  record Script(
      List<RunEvent> events,
      RunResult.@Nullable RunError error,
      boolean unending,
      boolean flooding,
      @Nullable SandboxException refusal) {

    static Script hello() {
      return of(new RunEvent.Started(), stdout("hello\n", 0), finished(Outcome.OK));
    }

    static Script of(RunEvent... events) {
      return new Script(List.of(events), null, false, false, null);
    }

    static Script endless() {
      return new Script(List.of(new RunEvent.Started()), null, true, false, null);
    }

    static Script flood() {
      return new Script(List.of(stdout("x".repeat(60_000), 0)), null, true, true, null);
    }

    static Script refused(SandboxException refusal) {
      return new Script(List.of(), null, false, false, refusal);
    }
  }

  static RunEvent.Output stdout(String text, long offset) {
    return new RunEvent.Output(
        RunEvent.Source.STDOUT, text.getBytes(StandardCharsets.UTF_8), offset);
  }

  static RunEvent.Finished finished(Outcome outcome) {
    return new RunEvent.Finished(outcome, null, null, false, Duration.ofMillis(5));
  }

  ScriptedRun(String context, Script script) {
    this.context = context;
    this.script = script;
  }

  ObjectId id() {
    return id;
  }

  void interrupt() {
    ended.countDown();
  }

  private void abandon() {
    abandoned.countDown();
    ended.countDown();
  }

  RunHandle handle() {
    return new RunHandle() {
      @Override
      public ObjectId id() {
        return id;
      }

      @Override
      public RunResult await() throws InterruptedException {
        if (script.refusal() != null) {
          throw script.refusal();
        }
        if (script.unending()) {
          ended.await();
        }
        return result();
      }

      @Override
      public CompletableFuture<RunResult> ended() {
        CompletableFuture<RunResult> end = new CompletableFuture<>();
        Thread.startVirtualThread(() -> {
          try {
            end.complete(await());
          } catch (Exception e) {
            end.completeExceptionally(e);
          }
        });
        return end;
      }

      @Override
      public void interrupt() {
        ScriptedRun.this.interrupt();
      }

      @Override
      public void abandon() {
        ScriptedRun.this.abandon();
      }
    };
  }

  private RunResult result() {
    StringBuilder stdout = new StringBuilder();
    StringBuilder stderr = new StringBuilder();
    RunEvent.Finished end = finished(Outcome.INTERRUPTED);
    Map<String, String> data = Map.of();
    RunResult.RunError error = script.error();
    for (RunEvent event : script.events()) {
      switch (event) {
        case RunEvent.Output out ->
            (out.source() == RunEvent.Source.STDOUT ? stdout : stderr)
                .append(new String(out.bytes(), StandardCharsets.UTF_8));
        case RunEvent.Result result -> data = result.data();
        case RunEvent.Raised raised -> error = raised.error();
        case RunEvent.Finished finished -> end = finished;
        case RunEvent.Started _ -> {}
      }
    }
    return new RunResult(
        id,
        context,
        end.outcome(),
        new CollectedText(stdout.toString(), 0),
        new CollectedText(stderr.toString(), 0),
        data,
        List.of(),
        error,
        end.exitCode(),
        end.signal(),
        end.stateLost(),
        end.duration());
  }

  RunStream stream() {
    Queue<RunEvent> left = new ArrayDeque<>(script.events());
    return new RunStream() {
      private boolean over;

      @Override
      public ObjectId id() {
        return id;
      }

      @Override
      public @Nullable RunEvent next(Duration patience) throws InterruptedException {
        if (script.refusal() != null) {
          throw script.refusal();
        }
        if (over) {
          return null;
        }
        if (script.flooding() && ended.getCount() > 0) {
          taken.incrementAndGet();
          return script.events().getFirst();
        }
        RunEvent next = left.poll();
        if (next == null && script.unending()) {
          boolean done = ended.await(patience.toNanos(), TimeUnit.NANOSECONDS);
          over = done;
          return done ? finished(Outcome.INTERRUPTED) : null;
        }
        return next;
      }

      @Override
      public void write(byte[] input) {}

      @Override
      public void endInput() {}

      @Override
      public void interrupt() {
        ScriptedRun.this.interrupt();
      }

      @Override
      public void abandon() {
        ScriptedRun.this.abandon();
      }

      @Override
      public void close() {}
    };
  }
}
