package dev.microsandbox.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// How the server's JVM is started: a small, quickly started one. docs/performance.md has the
/// figures.
final class JavaOptions {
  private JavaOptions() {}

  /// @param install the folder of this installation; null where it is not known
  static List<String> forServer(@Nullable Path install) {
    List<String> options =
        new ArrayList<>(
            List.of(
                "-XX:+UseSerialGC",
                "-XX:+UseCompactObjectHeaders",
                "-Xmx512m",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow"));
    if (install != null) {
      Path cache = install.resolve("java/app/target/server.aot");
      if (Files.exists(cache)) {
        options.add("-XX:AOTCache=" + cache);
        options.add("-Xlog:aot=off");
        options.add("-Xlog:cds=off");
      }
      options.add("-Dmicrosandbox.install=" + install);
    }
    return options;
  }
}
