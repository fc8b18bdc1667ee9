package dev.microsandbox.isolation;

import dev.microsandbox.agent.AgentTransport;
import dev.microsandbox.model.SandboxId;
import java.util.concurrent.CompletableFuture;

/// A sandbox whose first process has been started.
public interface RunningSandbox {
  SandboxId id();

  /// By which a later server knows its first process again.
  ProcessMark mark();

  AgentTransport transport();

  /// Completes when its first process is gone, however that came about.
  CompletableFuture<SandboxEnd> ended();

  /// Gives it a host name. The agent may not do that, for it would need rights over the whole
  /// sandbox.
  ///
  /// @return completes when that is done, or with what has prevented it
  CompletableFuture<Void> setHostname(String name);

  Usage usage();

  /// How often the kernel has killed for want of memory here; to be compared before and after.
  long oomKills();

  void freeze();

  void thaw();

  /// Kills everything in it at once and takes it down but for its disk. Returns when that is done,
  /// in bounded time; may be called twice.
  void kill();
}
