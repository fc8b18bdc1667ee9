package dev.microsandbox.egress;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/// What no sandbox may reach under the policy `public`: the table of `spec/denied-networks.json`,
/// which a test holds this one to.
final class DeniedNetworks {
  static final List<String> DENIED =
      List.of(
          "0.0.0.0/8",
          "10.0.0.0/8",
          "100.64.0.0/10",
          "127.0.0.0/8",
          "169.254.0.0/16",
          "172.16.0.0/12",
          "192.0.0.0/24",
          "192.168.0.0/16",
          "198.18.0.0/15",
          "224.0.0.0/4",
          "240.0.0.0/4",
          "168.63.129.16/32",
          "::/128",
          "::1/128",
          "64:ff9b:1::/48",
          "fc00::/7",
          "fe80::/10",
          "fec0::/10",
          "ff00::/8");

  /// Forms of IPv6 addresses that hold an IPv4 address, and where. Java reads the v4-mapped form
  /// (`::ffff:0:0/96`) as the IPv4 address itself.
  static final List<Embedding> EMBEDDING =
      List.of(
          new Embedding("::/96", 12),
          new Embedding("64:ff9b::/96", 12),
          new Embedding("2002::/16", 2));

  private static final List<Network> NETWORKS = DENIED.stream().map(Network::parse).toList();

  private DeniedNetworks() {}

  /// @param at the byte at which the IPv4 address begins
  record Embedding(Network network, int at) {
    Embedding(String network, int at) {
      this(Network.parse(network), at);
    }
  }

  /// Whether the table denies this address, or the one that it holds.
  static boolean deny(InetAddress address) {
    return Stream.concat(Stream.of(address), embedded(address))
        .anyMatch(judged -> NETWORKS.stream().anyMatch(network -> network.contains(judged)));
  }

  /// The addresses that an address holds.
  static Stream<InetAddress> embedded(InetAddress address) {
    return EMBEDDING.stream()
        .filter(embedding -> embedding.network.contains(address))
        .map(embedding -> inner(address, embedding.at));
  }

  private static InetAddress inner(InetAddress address, int at) {
    try {
      return InetAddress.getByAddress(Arrays.copyOfRange(address.getAddress(), at, at + 4));
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e); // four bytes are always an address
    }
  }
}
