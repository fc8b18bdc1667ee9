package dev.microsandbox.server;

import dev.microsandbox.engine.RunEvent;
import dev.microsandbox.engine.RunResult;
import dev.microsandbox.engine.RunStream;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.Outcome;
import dev.microsandbox.model.SandboxException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Follows a run that another request began, and makes one document of it.
final class CollectedRun {
  private static final Duration PATIENCE = Duration.ofSeconds(1);
  private static final int KEPT = 1024 * 1024;

  private final RunStream run;
  private final KeptOutput stdout = new KeptOutput(KEPT);
  private final KeptOutput stderr = new KeptOutput(KEPT);
  private Map<String, String> result = Map.of();
  private List<String> omitted = List.of();
  private RunResult.@Nullable RunError error;

  CollectedRun(RunStream run) {
    this.run = run;
  }

  RunBodies.Run await(ClientWatch.Watched client) throws InterruptedException {
    while (!client.gone()) {
      switch (run.next(PATIENCE)) {
        case null -> {}
        case RunEvent.Started _ -> {}
        case RunEvent.Output output -> keeper(output.source()).add(output.bytes());
        case RunEvent.Result value -> {
          result = value.data();
          omitted = value.omitted();
        }
        case RunEvent.Raised raised -> error = raised.error();
        case RunEvent.Finished end -> {
          return RunBodies.Run.of(whole(end));
        }
      }
    }
    throw new SandboxException(ErrorCode.REQUEST_TIMEOUT, "the client is gone");
  }

  private KeptOutput keeper(RunEvent.Source source) {
    return source == RunEvent.Source.STDOUT ? stdout : stderr;
  }

  private RunResult whole(RunEvent.Finished end) {
    Outcome outcome = end.outcome();
    return new RunResult(
        run.id(),
        "",
        outcome,
        stdout.collected(),
        stderr.collected(),
        result,
        omitted,
        error,
        end.exitCode(),
        end.signal(),
        end.stateLost(),
        end.duration());
  }
}
