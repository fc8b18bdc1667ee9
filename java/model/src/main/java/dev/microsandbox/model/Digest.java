package dev.microsandbox.model;

import java.util.regex.Pattern;

/// Content's SHA-256, 64 hexadecimal digits; written `sha256:…`.
public record Digest(String hex) {
  private static final Pattern FORM = Pattern.compile("[0-9a-f]{64}");
  private static final String PREFIX = "sha256:";

  public Digest {
    if (!FORM.matcher(hex).matches()) {
      throw new IllegalArgumentException("not a SHA-256 digest");
    }
  }

  /// Reads `sha256:…` or the digits alone.
  public static Digest parse(String text) {
    return new Digest(text.startsWith(PREFIX) ? text.substring(PREFIX.length()) : text);
  }

  @Override
  public String toString() {
    return PREFIX + hex;
  }
}
