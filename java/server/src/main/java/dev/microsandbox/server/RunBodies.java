package dev.microsandbox.server;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.microsandbox.engine.RunEvent;
import dev.microsandbox.engine.RunResult;
import dev.microsandbox.model.Outcome;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What the server answers about runs, in one document or in events.
final class RunBodies {
  private RunBodies() {}

  record Run(
      String id,
      @Nullable String context,
      String outcome,
      boolean hasError,
      String stdout,
      String stderr,
      long stdoutLeftOut,
      long stderrLeftOut,
      @Nullable Map<String, String> result,
      List<String> omitted,
      @Nullable RunError error,
      @Nullable Integer exitCode,
      @Nullable Integer signal,
      boolean stateLost,
      double duration) {

    static Run of(RunResult r) {
      return new Run(
          r.id().value(),
          r.context().isEmpty() ? null : r.context(),
          r.outcome().wireName(),
          r.hasError(),
          r.stdout().text(),
          r.stderr().text(),
          r.stdout().leftOut(),
          r.stderr().leftOut(),
          r.result().isEmpty() ? null : r.result(),
          r.omitted(),
          r.error() == null ? null : RunError.of(r.error()),
          r.exitCode(),
          r.signal(),
          r.stateLost(),
          ResponseBodies.seconds(r.duration()));
    }
  }

  record RunError(String name, String message, String traceback) {
    static RunError of(RunResult.RunError e) {
      return new RunError(e.name(), e.message(), e.traceback());
    }
  }

  record StartedEvent(String id) {}

  @JsonInclude(JsonInclude.Include.NON_NULL)
  record OutputEvent(@Nullable String text, byte @Nullable [] base64) {}

  record ResultEvent(Map<String, String> data, List<String> omitted) {}

  record FinishedEvent(
      String outcome,
      boolean hasError,
      @Nullable Integer exitCode,
      @Nullable Integer signal,
      boolean stateLost,
      double duration) {

    static FinishedEvent of(RunEvent.Finished f) {
      return new FinishedEvent(
          f.outcome().wireName(),
          isError(f),
          f.exitCode(),
          f.signal(),
          f.stateLost(),
          ResponseBodies.seconds(f.duration()));
    }

    /// The same rule as [RunResult#hasError].
    private static boolean isError(RunEvent.Finished f) {
      return f.outcome() != Outcome.OK
          && !(f.outcome() == Outcome.EXITED
              && !f.stateLost()
              && Integer.valueOf(0).equals(f.exitCode()));
    }
  }
}
