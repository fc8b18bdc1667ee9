package dev.microsandbox.egress;

import dev.microsandbox.model.NetworkPolicy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/// Decides what is dialled for an address that a sandbox wants to reach, if anything. Judged is the
/// address that is dialled, at each dial: what a name meant a moment ago does not matter.
final class Destinations {
  private final NameMap map;
  private final Set<Endpoint> mirrors;
  private final Optional<UpstreamProxy> proxy;
  private final Predicate<InetAddress> isHosts;

  Destinations(NameMap map, Set<Endpoint> mirrors, Optional<UpstreamProxy> proxy) {
    this(map, mirrors, proxy, Destinations::belongsToHost);
  }

  /// @param isHosts whether an address is one of the host's own
  Destinations(
      NameMap map,
      Set<Endpoint> mirrors,
      Optional<UpstreamProxy> proxy,
      Predicate<InetAddress> isHosts) {
    this.map = map;
    this.mirrors = Set.copyOf(mirrors);
    this.proxy = proxy;
    this.isHosts = isHosts;
  }

  /// What to do about a connection.
  sealed interface Decision {
    record Deny(String reason) implements Decision {}

    /// Dial the operator's target, which may be a name.
    record DialMapped(Endpoint target) implements Decision {}

    record Dial(InetAddress address, int port) implements Decision {}

    /// @param host what the proxy is asked to connect to
    record DialThroughProxy(UpstreamProxy proxy, String host, int port) implements Decision {}
  }

  /// @param names under which the sandbox was given the address
  Decision decide(NetworkPolicy policy, InetAddress address, int port, List<String> names) {
    if (policy == NetworkPolicy.NONE) {
      return new Decision.Deny("this sandbox has no network");
    }
    Optional<NameMap.Mapped> mapped = map.behind(address);
    if (mapped.isPresent()) {
      Endpoint target = mapped.get().target();
      return new Decision.DialMapped(
          new Endpoint(target.host(), target.port() == 0 ? port : target.port()));
    }
    Optional<String> mirror = mirror(address, port, names);
    if (mirror.isEmpty()) {
      if (DeniedNetworks.deny(address)) {
        return new Decision.Deny("a private or special address");
      }
      if (isHosts.test(address) || DeniedNetworks.embedded(address).anyMatch(isHosts)) {
        return new Decision.Deny("an address of the host");
      }
    }
    if (proxy.isPresent() && !proxy.get().isDirect(address, port, names)) {
      // By address, since that is what was judged; a mirror's name is the host's own word.
      String host = mirror.orElse(address.getHostAddress());
      return new Decision.DialThroughProxy(proxy.get(), host, port);
    }
    return new Decision.Dial(address, port);
  }

  /// The name, or literal address, by which a destination is one of the host's mirrors.
  private Optional<String> mirror(InetAddress address, int port, List<String> names) {
    return mirrors.stream()
        .filter(mirror -> mirror.port() == port)
        .map(Endpoint::host)
        .filter(
            host -> names.contains(host) || Names.literal(host).filter(address::equals).isPresent())
        .findFirst();
  }

  private static boolean belongsToHost(InetAddress address) {
    try {
      return NetworkInterface.getByInetAddress(address) != null;
    } catch (IOException _) {
      return true; // what cannot be judged is not dialled
    }
  }
}
