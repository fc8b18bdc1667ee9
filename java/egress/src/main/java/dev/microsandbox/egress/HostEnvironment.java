package dev.microsandbox.egress;

import java.util.Locale;
import java.util.Map;

/// Environment variables, empty where they are not set.
record HostEnvironment(Map<String, String> variables) {

  HostEnvironment {
    variables = Map.copyOf(variables);
  }

  String get(String name) {
    return variables.getOrDefault(name, "");
  }

  /// The variable in lower case, else in upper case, as tools for proxies and npm read them.
  String anyCase(String name) {
    String lower = get(name.toLowerCase(Locale.ROOT));
    return lower.isEmpty() ? get(name.toUpperCase(Locale.ROOT)) : lower;
  }
}
