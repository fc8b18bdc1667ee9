package dev.microsandbox.egress;

import java.net.InetAddress;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedSet;

/// Which names a sandbox was given which addresses for: what policy by name is decided on. Bounded;
/// the longest unused is forgotten first.
final class NameTable {
  private static final int MAX_ADDRESSES = 4_096;
  private static final int MAX_NAMES = 8;

  private final Map<InetAddress, SequencedSet<String>> names =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<InetAddress, SequencedSet<String>> eldest) {
          return size() > MAX_ADDRESSES;
        }
      };

  synchronized void add(InetAddress address, String name) {
    SequencedSet<String> known = names.computeIfAbsent(address, _ -> new LinkedHashSet<>());
    known.addLast(name);
    if (known.size() > MAX_NAMES) {
      known.removeFirst();
    }
  }

  /// The latest first.
  synchronized List<String> namesOf(InetAddress address) {
    SequencedSet<String> known = names.get(address);
    return known == null ? List.of() : List.copyOf(known.reversed());
  }
}
