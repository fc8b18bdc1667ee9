package dev.microsandbox.egress;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// A tool's configuration of lines `key = value`, maybe in `[sections]`; `#` and `;` begin
/// comments, and an indented line continues the one before.
final class ToolFile {
  private static final long MAX_BYTES = 1 << 20;

  private final Map<String, String> values = new HashMap<>();

  private ToolFile() {}

  /// Reads a file; one that is missing, too large or unreadable is empty.
  static ToolFile read(Path file) {
    ToolFile read = new ToolFile();
    try {
      if (Files.isRegularFile(file) && Files.size(file) <= MAX_BYTES) {
        read.take(Files.readAllLines(file));
      }
    } catch (IOException e) {
      System.getLogger(ToolFile.class.getName())
          .log(System.Logger.Level.DEBUG, "a tool's configuration cannot be read", e);
    }
    return read;
  }

  /// The value of `section.key`, or of `key` where there are no sections; empty where there is
  /// none.
  String get(String key) {
    return values.getOrDefault(key, "");
  }

  private void take(List<String> lines) {
    String section = "";
    String key = "";
    for (String line : lines) {
      String text = line.strip();
      if (text.isEmpty() || text.startsWith("#") || text.startsWith(";")) {
        continue;
      }
      int equals = text.indexOf('=');
      if (Character.isWhitespace(line.charAt(0)) && !key.isEmpty() && !isSetting(text, equals)) {
        values.merge(key, text, (before, more) -> (before + " " + more).strip());
      } else if (text.startsWith("[") && text.endsWith("]")) {
        section = text.substring(1, text.length() - 1).strip().toLowerCase(Locale.ROOT) + ".";
        key = "";
      } else if (equals > 0) {
        String name = text.substring(0, equals).strip().toLowerCase(Locale.ROOT);
        key = section + name.replace('_', '-');
        values.put(key, unquoted(text.substring(equals + 1).strip()));
      }
    }
  }

  private static boolean isSetting(String text, int equals) {
    return equals > 0 && text.substring(0, equals).strip().matches("[A-Za-z_-]+");
  }

  private static String unquoted(String value) {
    boolean quoted = value.length() >= 2 && value.startsWith("\"") && value.endsWith("\"");
    return quoted ? value.substring(1, value.length() - 1) : value;
  }
}
