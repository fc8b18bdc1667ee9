package dev.microsandbox.egress;

import java.net.InetAddress;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/// The form of host names.
final class Names {
  private static final Pattern RESOLVABLE =
      Pattern.compile(
          "(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*");

  private Names() {}

  /// In lower case and without the root's dot.
  static String normal(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    return lower.endsWith(".") ? lower.substring(0, lower.length() - 1) : lower;
  }

  /// Whether the host's resolver may be asked for this normal name: a host name, and none that some
  /// resolver would take for a numeric address (whose last part is a number).
  static boolean isResolvable(String name) {
    return RESOLVABLE.matcher(name).matches()
        && !Character.isDigit(name.charAt(name.lastIndexOf('.') + 1));
  }

  /// The address that a text is, if it is one.
  static Optional<InetAddress> literal(String text) {
    try {
      return Optional.of(InetAddress.ofLiteral(text));
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }
}
