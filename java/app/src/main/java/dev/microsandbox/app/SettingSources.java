package dev.microsandbox.app;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Where settings come from. In this order, the first that has a key wins: the command line
/// (`--key=value`, `--key value`, or `--flag`), the environment (`MICROSANDBOX_KEY`), the file that
/// `config` names, by default `/etc/microsandbox/server.conf` (lines `key = value`, `#` comments).
final class SettingSources {
  private static final Path DEFAULT_FILE = Path.of("/etc/microsandbox/server.conf");
  private static final String CONFIG = "config";
  private static final String PREFIX = "MICROSANDBOX_";

  private SettingSources() {}

  static Map<String, String> read(String[] args, Map<String, String> environment) {
    Map<String, String> arguments = arguments(args);
    Map<String, String> variables = variables(environment);
    String named = arguments.getOrDefault(CONFIG, variables.get(CONFIG));
    Map<String, String> all = new LinkedHashMap<>(file(named));
    all.putAll(variables);
    all.putAll(arguments);
    all.remove(CONFIG);
    return all;
  }

  private static Map<String, String> arguments(String[] args) {
    Map<String, String> values = new LinkedHashMap<>();
    for (int i = 0; i < args.length; i++) {
      String arg = args[i];
      if (!arg.startsWith("--") || arg.length() == 2) {
        throw new IllegalArgumentException("not an option: " + arg + "; write --key=value");
      }
      int equals = arg.indexOf('=');
      if (equals > 0) {
        values.put(arg.substring(2, equals), arg.substring(equals + 1));
      } else if (i + 1 < args.length && !args[i + 1].startsWith("--")) {
        values.put(arg.substring(2), args[++i]);
      } else {
        values.put(arg.substring(2), "true");
      }
    }
    return values;
  }

  /// Other variables with this prefix may be meant for other programs: an unknown key is passed
  /// over here, and refused in the other two places.
  private static Map<String, String> variables(Map<String, String> environment) {
    Map<String, String> values = new LinkedHashMap<>();
    environment.forEach((name, value) -> {
      if (name.startsWith(PREFIX)) {
        String key = name.substring(PREFIX.length()).toLowerCase(Locale.ROOT).replace('_', '-');
        if (key.equals(CONFIG) || AppSettings.isKey(key)) {
          values.put(key, value);
        }
      }
    });
    return values;
  }

  private static Map<String, String> file(@Nullable String named) {
    Path file = named == null ? DEFAULT_FILE : Path.of(named);
    if (named == null && !Files.exists(file)) {
      return Map.of();
    }
    try {
      return lines(Files.readAllLines(file, StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new IllegalArgumentException("the configuration file " + file + " cannot be read", e);
    }
  }

  private static Map<String, String> lines(List<String> lines) {
    Map<String, String> values = new LinkedHashMap<>();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (line.isEmpty() || line.startsWith("#")) {
        continue;
      }
      int equals = line.indexOf('=');
      if (equals <= 0) {
        throw new IllegalArgumentException(
            "line " + (i + 1) + " of the configuration file is not key = value");
      }
      values.put(line.substring(0, equals).strip(), line.substring(equals + 1).strip());
    }
    return values;
  }
}
