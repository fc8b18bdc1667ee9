package dev.microsandbox.linux;

import java.io.IOException;
import java.util.LinkedHashMap;

/// The user namespaces of the id ranges that were used last. A mount holds the one by which its ids
/// are shifted; what is kept here spares the next sandbox of the same range the making of another,
/// which takes two milliseconds. Ranges are given out from the lowest free one, so a few are
/// enough.
///
/// For one thread.
final class UserNamespaces implements AutoCloseable {
  private final int kept;
  private final LinkedHashMap<Integer, UserNamespace> byUse = new LinkedHashMap<>(16, 0.75f, true);

  /// @param kept how many descriptors are held at the most
  UserNamespaces(int kept) {
    this.kept = kept;
  }

  /// The one of a range, for use before the next call.
  UserNamespace of(int firstHostId) throws IOException {
    UserNamespace known = byUse.get(firstHostId);
    if (known != null) {
      return known;
    }
    UserNamespace made = UserNamespace.create(firstHostId);
    byUse.put(firstHostId, made);
    if (byUse.size() > kept) {
      byUse.pollFirstEntry().getValue().close();
    }
    return made;
  }

  @Override
  public void close() {
    byUse.values().forEach(UserNamespace::close);
    byUse.clear();
  }
}
