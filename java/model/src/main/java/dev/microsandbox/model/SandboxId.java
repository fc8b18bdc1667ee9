package dev.microsandbox.model;

import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.regex.Pattern;

/// Identifies one sandbox for ever, on this host and in its journal: `sb` and 16 hexadecimal
/// digits.
///
/// Short and of harmless characters, for it becomes part of cgroup, directory and socket names.
public record SandboxId(String value) implements Comparable<SandboxId> {
  private static final Pattern FORM = Pattern.compile("sb[0-9a-f]{16}");
  private static final SecureRandom RANDOM = new SecureRandom();

  public SandboxId {
    if (!FORM.matcher(value).matches()) {
      throw new IllegalArgumentException("not a sandbox id: " + value);
    }
  }

  public static SandboxId random() {
    byte[] bytes = new byte[8];
    RANDOM.nextBytes(bytes);
    return new SandboxId("sb" + HexFormat.of().formatHex(bytes));
  }

  /// Whether the text has the form of an id; such a text is never a sandbox's name's first reading.
  public static boolean looksLike(String text) {
    return FORM.matcher(text).matches();
  }

  @Override
  public int compareTo(SandboxId other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
