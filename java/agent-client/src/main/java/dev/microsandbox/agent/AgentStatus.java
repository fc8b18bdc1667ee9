package dev.microsandbox.agent;

import dev.microsandbox.model.ByteSize;

/// @param diskUsed of the sandbox's writable root
public record AgentStatus(ByteSize diskUsed, ByteSize diskTotal, int processes) {}
