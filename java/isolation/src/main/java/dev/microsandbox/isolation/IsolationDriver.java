package dev.microsandbox.isolation;

import dev.microsandbox.model.IsolationKind;
import dev.microsandbox.model.SandboxId;
import java.util.Set;

/// Launches, limits, freezes and ends sandboxes of one kind.
///
/// A driver keeps nothing in memory that a crash could lose and that is needed to clean up: from a
/// sandbox's id alone it finds everything that a launch may have made. The engine has journaled the
/// id before it calls [#launch].
public interface IsolationDriver extends AutoCloseable {
  IsolationKind kind();

  /// Tries out, for real, what this host can do. Takes up to some seconds; the engine asks once.
  ProbeReport probe();

  /// Starts a sandbox and returns when its first process runs (its agent may not have dialled yet).
  /// The sandbox's disk is made where there is none, and used as it is where there is one. When it
  /// throws nothing is left but the disk.
  RunningSandbox launch(LaunchSpec spec);

  /// Takes hold of a sandbox that an earlier server launched, and listens for its agent. Changes
  /// nothing in it: its processes need not notice that there was no server for a while.
  Adoption adopt(AdoptSpec spec);

  /// Ends and removes all that is left of a sandbox but its disk: processes, cgroups, mounts,
  /// runtime state, sockets, down to the last one. Harmless where there is nothing.
  void remove(SandboxId id);

  /// Removes its disk. Called after [#remove].
  void removeDisk(SandboxId id);

  /// The sandboxes of which anything is left on this host, disks included.
  Set<SandboxId> leftovers();

  /// Releases the driver's own threads and descriptors. Sandboxes go on.
  @Override
  void close();
}
