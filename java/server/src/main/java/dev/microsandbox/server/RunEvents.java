package dev.microsandbox.server;

import dev.microsandbox.engine.RunEvent;
import dev.microsandbox.engine.RunStream;
import dev.microsandbox.model.SandboxException;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// Carries a run's events to a client, until the run has ended or the client has gone.
final class RunEvents {
  private static final Duration SIGN_OF_LIFE = Duration.ofSeconds(15);
  private static final Duration PATIENCE = Duration.ofSeconds(1);
  private static final int BATCH = 32 * 1024;

  private final RunStream run;
  private final EventStream events;
  private final boolean base64;
  private final OutputText stdout = new OutputText();
  private final OutputText stderr = new OutputText();
  private boolean finished;

  RunEvents(RunStream run, EventStream events, boolean base64) {
    this.run = run;
    this.events = events;
    this.base64 = base64;
  }

  /// @param first event, taken before the answer began; null where none came yet
  void carry(@Nullable RunEvent first, ClientWatch.Watched client)
      throws IOException, InterruptedException {
    events.open();
    try {
      @Nullable RunEvent event = first;
      while (!finished && !client.gone()) {
        if (event == null) {
          events.flush();
          events.signOfLife(SIGN_OF_LIFE);
        } else {
          add(event);
          if (events.pending() > BATCH) {
            events.flush();
          }
        }
        // What is there already goes out in one piece.
        event = run.next(event == null ? PATIENCE : Duration.ZERO);
      }
    } catch (SandboxException e) {
      events.add("failed", Failures.nativeForm(Failures.coded(e)));
    }
    if (client.gone()) {
      throw new IOException("the client is gone");
    }
    events.end();
  }

  private void add(RunEvent event) {
    switch (event) {
      case RunEvent.Started _ ->
          events.add("started", new RunBodies.StartedEvent(run.id().value()));
      case RunEvent.Output output -> addOutput(output);
      case RunEvent.Result result ->
          events.add("result", new RunBodies.ResultEvent(result.data(), result.omitted()));
      case RunEvent.Raised raised -> events.add("error", RunBodies.RunError.of(raised.error()));
      case RunEvent.Finished end -> {
        addRest("stdout", stdout);
        addRest("stderr", stderr);
        events.add("finished", RunBodies.FinishedEvent.of(end));
        finished = true;
      }
    }
  }

  private void addOutput(RunEvent.Output output) {
    String name = output.source() == RunEvent.Source.STDOUT ? "stdout" : "stderr";
    if (base64) {
      events.add(name, new RunBodies.OutputEvent(null, output.bytes()), output.end());
      return;
    }
    OutputText decoder = output.source() == RunEvent.Source.STDOUT ? stdout : stderr;
    String text = decoder.add(output.bytes());
    if (!text.isEmpty()) {
      // One who goes on from this id gets the unfinished character again, whole.
      events.add(name, new RunBodies.OutputEvent(text, null), output.end() - decoder.pending());
    }
  }

  private void addRest(String name, OutputText decoder) {
    String rest = decoder.end();
    if (!rest.isEmpty()) {
      events.add(name, new RunBodies.OutputEvent(rest, null));
    }
  }
}
