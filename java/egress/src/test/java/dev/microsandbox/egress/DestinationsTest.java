package dev.microsandbox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.microsandbox.egress.Destinations.Decision;
import dev.microsandbox.model.NetworkPolicy;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class DestinationsTest {
  private static final InetAddress PUBLIC = InetAddress.ofLiteral("8.8.8.8");
  private static final InetAddress PRIVATE = InetAddress.ofLiteral("10.1.2.3");

  private final NameMap map =
      new NameMap(
          Map.of(
              "HTTPBIN.org.", Endpoint.parse("127.0.0.1:8443"),
              "any", Endpoint.parse("[::1]")));
  private final Destinations plain = destinations(Set.of(), Optional.empty());

  @Test
  void publicIsDialledAndPrivateIsNot() {
    assertThat(decide(plain, PUBLIC, 443)).isEqualTo(new Decision.Dial(PUBLIC, 443));
    assertThat(decide(plain, PRIVATE, 443)).isInstanceOf(Decision.Deny.class);
  }

  @Test
  void noneDeniesEverythingMappedNamesIncluded() {
    InetAddress mapped = map.addressOf("httpbin.org").orElseThrow();
    for (InetAddress address : List.of(PUBLIC, mapped)) {
      assertThat(plain.decide(NetworkPolicy.NONE, address, 443, List.of()))
          .isInstanceOf(Decision.Deny.class);
    }
  }

  @Test
  void theHostsOwnAddressesAreDeniedWhateverTheyAre() throws Exception {
    Destinations real = new Destinations(map, Set.of(), Optional.empty());
    List<InetAddress> own =
        NetworkInterface.networkInterfaces().flatMap(NetworkInterface::inetAddresses).toList();
    assertThat(own).isNotEmpty();
    for (InetAddress address : own) {
      assertThat(decide(real, InetAddress.getByAddress(address.getAddress()), 80))
          .as(address.toString())
          .isInstanceOf(Decision.Deny.class);
    }
  }

  @Test
  void theHostsAddressIn6to4IsDeniedToo() {
    InetAddress hosts = InetAddress.ofLiteral("203.0.113.9");
    Destinations own = new Destinations(map, Set.of(), Optional.empty(), hosts::equals);
    assertThat(decide(own, hosts, 80)).isInstanceOf(Decision.Deny.class);
    assertThat(decide(own, InetAddress.ofLiteral("2002:cb00:7109::1"), 80))
        .isInstanceOf(Decision.Deny.class);
  }

  @Test
  void aMappedNameLeadsToTheOperatorsTarget() {
    InetAddress mapped = map.addressOf("httpbin.org").orElseThrow();
    assertThat(decide(plain, mapped, 443))
        .isEqualTo(new Decision.DialMapped(new Endpoint("127.0.0.1", 8443)));
    assertThat(decide(plain, map.addressOf("any").orElseThrow(), 81))
        .isEqualTo(new Decision.DialMapped(new Endpoint("::1", 81)));
  }

  @Test
  void aSyntheticAddressThatWasNotGivenIsDenied() {
    assertThat(decide(plain, InetAddress.ofLiteral("198.19.77.77"), 443))
        .isInstanceOf(Decision.Deny.class);
  }

  @Test
  void aMirrorIsAllowedByExactNameAndPortEvenAtAPrivateAddress() {
    Destinations mirrors =
        destinations(
            Set.of(new Endpoint("pypi.corp", 443), new Endpoint("10.9.9.9", 8081)),
            Optional.empty());
    assertThat(mirrors.decide(NetworkPolicy.PUBLIC, PRIVATE, 443, List.of("x", "pypi.corp")))
        .isEqualTo(new Decision.Dial(PRIVATE, 443));
    assertThat(mirrors.decide(NetworkPolicy.PUBLIC, PRIVATE, 22, List.of("pypi.corp")))
        .isInstanceOf(Decision.Deny.class);
    assertThat(mirrors.decide(NetworkPolicy.PUBLIC, PRIVATE, 443, List.of("evil.pypi.corp")))
        .isInstanceOf(Decision.Deny.class);
    assertThat(decide(mirrors, InetAddress.ofLiteral("10.9.9.9"), 8081))
        .isInstanceOf(Decision.Dial.class);
    assertThat(decide(mirrors, InetAddress.ofLiteral("10.9.9.9"), 80))
        .isInstanceOf(Decision.Deny.class);
  }

  @Test
  void aProxyGetsOnlyWhatThePolicyAllowsAndTheAddressThatWasJudged() {
    UpstreamProxy proxy =
        UpstreamProxy.parse("http://u:p@proxy:3128", "direct.org,8.8.4.0/24").orElseThrow();
    Destinations proxied = destinations(Set.of(new Endpoint("pypi.corp", 443)), Optional.of(proxy));
    assertThat(proxied.decide(NetworkPolicy.PUBLIC, PUBLIC, 443, List.of("evil.org")))
        .isEqualTo(new Decision.DialThroughProxy(proxy, "8.8.8.8", 443));
    assertThat(proxied.decide(NetworkPolicy.PUBLIC, PRIVATE, 443, List.of("pypi.corp")))
        .isEqualTo(new Decision.DialThroughProxy(proxy, "pypi.corp", 443));
    assertThat(proxied.decide(NetworkPolicy.PUBLIC, PRIVATE, 443, List.of("evil.org")))
        .isInstanceOf(Decision.Deny.class);
    assertThat(proxied.decide(NetworkPolicy.PUBLIC, PUBLIC, 443, List.of("a.direct.org")))
        .isInstanceOf(Decision.Dial.class);
    assertThat(decide(proxied, InetAddress.ofLiteral("8.8.4.4"), 443))
        .isInstanceOf(Decision.Dial.class);
  }

  private Destinations destinations(Set<Endpoint> mirrors, Optional<UpstreamProxy> proxy) {
    return new Destinations(map, mirrors, proxy, _ -> false);
  }

  private static Decision decide(Destinations destinations, InetAddress address, int port) {
    return destinations.decide(NetworkPolicy.PUBLIC, address, port, List.of());
  }
}
