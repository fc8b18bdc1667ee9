package dev.microsandbox.engine;

import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.SandboxId;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// A cell or command under way, as it is stored for a later server.
///
/// @param context of a cell; null for a command
/// @param deadline null for none
/// @param oomKills of its sandbox when it began
record RunRecord(
    SandboxId sandbox,
    ObjectId id,
    @Nullable String context,
    boolean keepRunning,
    Instant began,
    @Nullable Instant deadline,
    long oomKills) {

  RunRecord withoutContext() {
    return new RunRecord(sandbox, id, null, keepRunning, began, deadline, oomKills);
  }
}
