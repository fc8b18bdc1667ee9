package dev.microsandbox.engine;

import dev.microsandbox.agent.OutboundHandler;
import dev.microsandbox.agent.SandboxConfiguration.SmallFile;
import dev.microsandbox.egress.ConnectionRecord;
import dev.microsandbox.egress.Egress;
import dev.microsandbox.model.NetworkPolicy;
import dev.microsandbox.model.SandboxId;
import java.util.List;
import java.util.Map;

/// Gives each connection to a sandbox's agent what decides about its outbound connections.
@FunctionalInterface
public interface EgressFactory {

  /// @param log takes what people should know: a line for each connection that was denied, say
  SandboxNetwork open(SandboxId id, NetworkPolicy policy, NetworkLog log);

  /// By the server's egress.
  static EgressFactory of(Egress egress) {
    return (_, policy, log) -> {
      boolean open = policy != NetworkPolicy.NONE;
      return new SandboxNetwork(
          egress.forSandbox(policy, record -> log.line(level(record), record.line())),
          open,
          open ? egress.provision().environment() : Map.of(),
          Map.of(),
          egress.provision().caBundle(),
          List.of());
    };
  }

  private static String level(ConnectionRecord record) {
    return switch (record.verdict()) {
      case CARRIED -> "info";
      case DENIED, FAILED, LIMITED -> "warning";
    };
  }

  /// A sandbox's way out, and what has to be told to the sandbox about it.
  ///
  /// @param outbound for one channel; ends with it
  /// @param capture whether the agent shall take up connections at all
  /// @param environment for the programs in the sandbox (mirrors …)
  /// @param hosts lines of /etc/hosts: address to names
  /// @param caBundle PEM of authorities to add; empty for none
  /// @param files configuration of package tools
  record SandboxNetwork(
      OutboundHandler outbound,
      boolean capture,
      Map<String, String> environment,
      Map<String, List<String>> hosts,
      byte[] caBundle,
      List<SmallFile> files) {
    public SandboxNetwork {
      environment = Map.copyOf(environment);
      hosts = Map.copyOf(hosts);
      files = List.copyOf(files);
    }
  }

  /// Where lines about connections go. Must not wait.
  interface NetworkLog {
    void line(String level, String text);
  }
}
