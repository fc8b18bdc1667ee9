package dev.microsandbox.isolation;

import dev.microsandbox.model.SandboxId;

/// What a driver needs to know to take hold of a sandbox that an earlier server launched.
///
/// @param first its first process, as [RunningSandbox#mark] told it then
/// @param oomKills how often the kernel had killed in it for want of memory without ending it
public record AdoptSpec(SandboxId id, IdRange ids, ProcessMark first, long oomKills) {}
