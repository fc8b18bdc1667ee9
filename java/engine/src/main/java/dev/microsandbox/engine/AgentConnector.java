package dev.microsandbox.engine;

import dev.microsandbox.agent.AgentChannels;
import dev.microsandbox.agent.AgentClient;
import dev.microsandbox.agent.AgentTransport;
import dev.microsandbox.agent.OutboundHandler;
import dev.microsandbox.agent.SandboxListener;
import dev.microsandbox.model.SandboxId;
import java.time.Duration;

/// Waits for a sandbox's agent to dial, and agrees with it on the protocol.
@FunctionalInterface
public interface AgentConnector {

  /// @param timeout until the agent's hello
  /// @throws dev.microsandbox.model.SandboxException `agent_lost` when no agent came in time, the
  ///   transport is closed, or it broke the protocol
  AgentClient connect(SandboxId id, AgentTransport transport, Ears ears, Duration timeout);

  /// By the server's channels.
  static AgentConnector of(AgentChannels channels) {
    return (id, transport, ears, timeout) ->
        channels.connect(id, transport, timeout, ears.listener(), ears.outbound());
  }

  /// Who listens to what an agent does unasked.
  record Ears(SandboxListener listener, OutboundHandler outbound) {}
}
