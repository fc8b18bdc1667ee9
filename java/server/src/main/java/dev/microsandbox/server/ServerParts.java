package dev.microsandbox.server;

import dev.microsandbox.engine.KeyService;
import dev.microsandbox.engine.PoolService;
import dev.microsandbox.engine.SandboxService;
import dev.microsandbox.isolation.ProbeReport.Finding;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.List;
import java.util.function.Supplier;

/// What the server speaks for.
///
/// @param version of the product
/// @param findings what was found out about this host
/// @param shutdown asked for by an administrator; returns at once
public record ServerParts(
    String version,
    SandboxService sandboxes,
    KeyService keys,
    PoolService pools,
    Supplier<List<Finding>> findings,
    PrometheusMeterRegistry meters,
    Shutdown shutdown) {

  /// The way to end the server.
  @FunctionalInterface
  public interface Shutdown {
    /// @param keepSandboxes whether they go on, for a later server
    void begin(boolean keepSandboxes);
  }
}
