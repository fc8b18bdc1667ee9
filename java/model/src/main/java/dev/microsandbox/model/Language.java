package dev.microsandbox.model;

import java.util.Locale;

/// A language that contexts are kept for.
public enum Language {
  PYTHON,
  NODE;

  public String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /// Reads what clients write, old ones included: `python`, `node`, `nodejs`, `javascript`, in any
  /// case.
  public static Language parse(String text) {
    return switch (text.toLowerCase(Locale.ROOT)) {
      case "python", "python3" -> PYTHON;
      case "node", "nodejs", "javascript", "js" -> NODE;
      default ->
          throw new SandboxException(
              ErrorCode.UNKNOWN_LANGUAGE, "unknown language; use python or node");
    };
  }
}
