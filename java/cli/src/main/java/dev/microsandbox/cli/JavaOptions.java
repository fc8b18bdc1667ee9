package dev.microsandbox.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// How the server's JVM is started: a small, quickly started one that stays small with a thousand
/// sandboxes. What each option brings is in docs/performance.md; the training run of the AOT cache
/// (scripts/train-aot) names the same collector and object headers.
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
                "-Xms24m",
                "-Xmn16m",
                "-XX:SurvivorRatio=2",
                "-XX:TargetSurvivorRatio=90",
                "-XX:MinHeapFreeRatio=15",
                "-XX:MaxHeapFreeRatio=30",
                "-XX:TieredStopAtLevel=1",
                "-XX:CompileThresholdScaling=0.1",
                "-XX:TrimNativeHeapInterval=10000",
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
