package dev.microsandbox.isolation;

/// What has become of a sandbox that an earlier server launched.
public sealed interface Adoption {
  /// It runs, with the limits that it was launched with; its agent may not have dialled yet.
  record Alive(RunningSandbox sandbox) implements Adoption {}

  /// Its first process is gone. What is left of it stays until [IsolationDriver#remove].
  record Ended(SandboxEnd end) implements Adoption {}

  /// The machine was started anew since, which ended it.
  record HostRestarted() implements Adoption {}
}
