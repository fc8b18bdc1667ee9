package dev.microsandbox.app;

import dev.microsandbox.agent.OutboundHandler;
import dev.microsandbox.agent.OutboundStream;
import dev.microsandbox.engine.EgressFactory;
import dev.microsandbox.model.NetworkPolicy;
import dev.microsandbox.model.SandboxId;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;

/// No way out at all: nothing is captured, and what is asked for all the same is denied.
final class NoEgress implements EgressFactory {
  @Override
  public SandboxNetwork open(SandboxId id, NetworkPolicy policy, NetworkLog log) {
    return new SandboxNetwork(new Denial(), false, Map.of(), Map.of(), new byte[0], List.of());
  }

  private static final class Denial implements OutboundHandler {
    @Override
    public void onConnect(InetAddress address, int port, OutboundStream stream) {
      stream.refuse(OutboundStream.Refusal.DENIED);
    }

    @Override
    public void onDnsQuery(byte[] message, boolean tcp, DnsReply reply) {
      reply.answer(new byte[0]);
    }

    @Override
    public void onChannelEnded() {}
  }
}
