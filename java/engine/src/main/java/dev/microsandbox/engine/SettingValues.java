package dev.microsandbox.engine;

import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/// Reads texts as what a setting is, and remembers which keys were asked for.
final class SettingValues {
  private final Map<String, String> values;
  private final Set<String> known = new HashSet<>();

  SettingValues(Map<String, String> values) {
    this.values = values;
  }

  int number(String key, int standard) {
    String text = text(key);
    if (text.isEmpty()) {
      return standard;
    }
    try {
      return Integer.decode(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(key + " is not a whole number", e);
    }
  }

  boolean flag(String key, boolean standard) {
    return switch (text(key)) {
      case "" -> standard;
      case "on" -> true;
      case "off" -> false;
      default -> throw new IllegalArgumentException(key + " is on or off");
    };
  }

  Duration duration(String key, Duration standard) {
    String text = text(key);
    if (text.isEmpty()) {
      return standard;
    }
    try {
      return Duration.ofMillis(Math.round(Double.parseDouble(text) * 1000));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(key + " is not a number of seconds", e);
    }
  }

  void rejectUnknown() {
    for (String key : values.keySet()) {
      if (!known.contains(key)) {
        throw new IllegalArgumentException("unknown setting: " + key);
      }
    }
  }

  private String text(String key) {
    known.add(key);
    return values.getOrDefault(key, "").strip();
  }
}
