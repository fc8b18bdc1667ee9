package dev.microsandbox.model;

import java.util.Locale;

/// Which destinations a sandbox may reach. Judged by the host on the address that it dials.
public enum NetworkPolicy {
  /// Nothing is reached and nothing resolved.
  NONE,
  /// Everything but the table of `spec/denied-networks.json` and the host's own addresses.
  PUBLIC;

  public String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
