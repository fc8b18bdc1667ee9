package dev.microsandbox.agent;

import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.SandboxId;
import java.util.List;

/// An agent's word about itself at the start of a connection. Nothing about security rests on it.
///
/// @param version of the contract that both ends use
/// @param bootId 32 hexadecimal digits, new at every start of the agent
/// @param objects live ones, and ended ones whose outcome has not been acknowledged
public record AgentHello(
    int version,
    SandboxId sandbox,
    String bootId,
    String agentVersion,
    boolean egress,
    List<KnownObject> objects,
    List<ContextInfo> contexts) {

  public AgentHello {
    objects = List.copyOf(objects);
    contexts = List.copyOf(contexts);
  }

  /// @param outputEnd offset after the last byte of output so far
  /// @param contextId of a cell that has not ended; else empty, and from an agent that does not
  ///   tell
  public record KnownObject(ObjectId id, long outputEnd, boolean finished, String contextId) {}
}
