package dev.microsandbox.app;

import dev.microsandbox.egress.ConnectionRecord;
import dev.microsandbox.egress.Egress;
import dev.microsandbox.engine.EgressFactory;
import dev.microsandbox.model.NetworkPolicy;
import dev.microsandbox.model.SandboxId;
import java.util.List;
import java.util.Map;

/// The way out of sandboxes: judged, dialled and carried by this host.
final class HostEgress implements EgressFactory {
  private final Egress egress;

  HostEgress(Egress egress) {
    this.egress = egress;
  }

  @Override
  public SandboxNetwork open(SandboxId id, NetworkPolicy policy, NetworkLog log) {
    Egress.Provision provision = egress.provision();
    return new SandboxNetwork(
        egress.forSandbox(policy, connection -> log.line(level(connection), connection.line())),
        policy != NetworkPolicy.NONE,
        provision.environment(),
        Map.of(),
        provision.caBundle(),
        List.of());
  }

  private static String level(ConnectionRecord connection) {
    return switch (connection.verdict()) {
      case CARRIED -> "info";
      case DENIED, FAILED, LIMITED -> "warning";
    };
  }
}
