package dev.microsandbox.engine;

import dev.microsandbox.model.IsolationKind;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/// What the server says of itself.
///
/// @param accepting false once it is stopping
/// @param isolation the kinds that work here, each with its runtime, the best first
public record ServerStatus(
    boolean accepting,
    Instant startedAt,
    int running,
    int stored,
    int maximumSandboxes,
    List<IsolationKind> isolation,
    Map<IsolationKind, String> runtimes) {

  public ServerStatus {
    isolation = List.copyOf(isolation);
    runtimes = Map.copyOf(runtimes);
  }
}
