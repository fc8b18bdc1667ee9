package dev.microsandbox.engine;

import dev.microsandbox.agent.OutboundHandler;
import dev.microsandbox.agent.SandboxConfiguration.SmallFile;
import dev.microsandbox.egress.ConnectionRecord;
import dev.microsandbox.egress.Egress;
import dev.microsandbox.egress.SandboxEgress;
import dev.microsandbox.model.NetworkPolicy;
import dev.microsandbox.model.SandboxId;
import java.util.List;
import java.util.Map;

/// Gives each connection to a sandbox's agent what decides about its outbound connections.
@FunctionalInterface
public interface EgressFactory {

  /// A way out that leads nowhere until a policy is applied.
  ///
  /// @param log takes what people should know: a line for each connection that was denied, say
  SandboxNetwork open(SandboxId id, NetworkLog log);

  /// By the server's egress.
  static EgressFactory of(Egress egress) {
    return (_, log) -> {
      SandboxEgress outside =
          egress.forSandbox(NetworkPolicy.NONE, record -> log.line(level(record), record.line()));
      return new SandboxNetwork() {
        @Override
        public OutboundHandler outbound() {
          return outside;
        }

        @Override
        public Provision apply(NetworkPolicy policy) {
          outside.setPolicy(policy);
          boolean open = policy != NetworkPolicy.NONE;
          return new Provision(
              open,
              open ? egress.provision().environment() : Map.of(),
              Map.of(),
              egress.provision().caBundle(),
              List.of());
        }
      };
    };
  }

  private static String level(ConnectionRecord record) {
    return switch (record.verdict()) {
      case CARRIED -> "info";
      case DENIED, FAILED, LIMITED -> "warning";
    };
  }

  /// A sandbox's way out, for one channel.
  interface SandboxNetwork {
    /// Ends with the channel.
    OutboundHandler outbound();

    /// Judges by this policy from now on.
    ///
    /// @return what has to be told to the sandbox about it
    Provision apply(NetworkPolicy policy);
  }

  /// What a sandbox is told about its network.
  ///
  /// @param capture whether the agent shall take up connections at all
  /// @param environment for the programs in the sandbox (mirrors …)
  /// @param hosts lines of /etc/hosts: address to names
  /// @param caBundle PEM of authorities to add, the same under every policy; empty for none
  /// @param files configuration of package tools
  record Provision(
      boolean capture,
      Map<String, String> environment,
      Map<String, List<String>> hosts,
      byte[] caBundle,
      List<SmallFile> files) {
    public Provision {
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
