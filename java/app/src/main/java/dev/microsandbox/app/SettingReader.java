package dev.microsandbox.app;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Reads typed values; its complaints name the key.
final class SettingReader {
  private final Map<String, String> values;

  SettingReader(Map<String, String> values) {
    this.values = values;
  }

  @Nullable String text(String key) {
    return values.get(key);
  }

  Path path(String key, Path otherwise) {
    String text = values.get(key);
    return text == null ? otherwise : Path.of(text).toAbsolutePath().normalize();
  }

  /// Parts between commas.
  List<String> list(String key) {
    String text = values.getOrDefault(key, "");
    return Arrays.stream(text.split(",", -1)).map(String::strip).filter(s -> !s.isEmpty()).toList();
  }

  boolean flag(String key) {
    return flag(key, false);
  }

  boolean flag(String key, boolean otherwise) {
    String text = values.getOrDefault(key, Boolean.toString(otherwise));
    return switch (text) {
      case "true" -> true;
      case "false" -> false;
      default -> throw new IllegalArgumentException(key + " is true or false, not " + text);
    };
  }

  int number(String key, int otherwise) {
    String text = values.get(key);
    try {
      return text == null ? otherwise : Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(key + " is a whole number, not " + text, e);
    }
  }

  <E extends Enum<E>> E oneOf(String key, Class<E> type, E otherwise) {
    String text = values.get(key);
    if (text == null) {
      return otherwise;
    }
    for (E each : type.getEnumConstants()) {
      if (each.name().toLowerCase(Locale.ROOT).equals(text)) {
        return each;
      }
    }
    throw new IllegalArgumentException(key + " cannot be " + text);
  }
}
