package dev.microsandbox.egress;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// The operator's names, each with a synthetic address of 198.19.0.0/16 under which sandboxes see
/// it and the endpoint that the host dials instead. It may point into denied ranges: it is the
/// operator's word. (The lower half of 198.18.0.0/15 is left to the sandbox's own resolver.)
final class NameMap {
  private static final int MAX = 60_000;

  private final Map<String, InetAddress> addresses = new HashMap<>();
  private final Map<InetAddress, Mapped> targets = new HashMap<>();

  record Mapped(String name, Endpoint target) {}

  NameMap(Map<String, Endpoint> names) {
    if (names.size() > MAX) {
      throw new IllegalArgumentException("at most " + MAX + " names can be mapped");
    }
    int index = 0;
    for (Map.Entry<String, Endpoint> entry : new TreeMap<>(names).entrySet()) {
      index++;
      String name = Names.normal(entry.getKey());
      InetAddress address = synthetic(index);
      addresses.put(name, address);
      targets.put(address, new Mapped(name, entry.getValue()));
    }
  }

  /// The address under which sandboxes see a normal name.
  Optional<InetAddress> addressOf(String name) {
    return Optional.ofNullable(addresses.get(name));
  }

  /// What to dial instead of a synthetic address.
  Optional<Mapped> behind(InetAddress address) {
    return Optional.ofNullable(targets.get(address));
  }

  private static InetAddress synthetic(int index) {
    try {
      return InetAddress.getByAddress(
          new byte[] {(byte) 198, 19, (byte) (index >> 8), (byte) index});
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e); // four bytes are always an address
    }
  }
}
