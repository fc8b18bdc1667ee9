package dev.microsandbox.engine;

import dev.microsandbox.isolation.ProcessMark;
import java.time.Instant;

/// What a later server needs to take hold of a sandbox that runs.
///
/// @param agentBootId what its agent alone knows beside us, so that no other program is taken for
///   it
/// @param oomKills that it has outlived
/// @param lastUsed some moments old; its idle limit counts from there
record Foothold(ProcessMark first, String agentBootId, long oomKills, Instant lastUsed) {}
