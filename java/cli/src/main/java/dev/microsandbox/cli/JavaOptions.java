package dev.microsandbox.cli;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
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
                "-Djava.locale.providers=SPI",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow"));
    if (install != null) {
      Path built = install.resolve("java/app/target");
      Path cache = built.resolve("server.aot");
      if (Files.exists(cache) && isOfTheseJars(built)) {
        options.add("-XX:AOTCache=" + cache);
        options.add("-Xlog:aot=off");
        options.add("-Xlog:cds=off");
      }
      options.add("-Dmicrosandbox.install=" + install);
    }
    return options;
  }

  /// Whether the caches were made of the jars that are there, as scripts/lib.sh asks for msb's own:
  /// a JDK runs the classes of a cache whatever is in the jars now.
  private static boolean isOfTheseJars(Path built) {
    Path list = built.resolve("aot.jars");
    try (DirectoryStream<Path> jars = Files.newDirectoryStream(built.resolve("lib"), "*.jar")) {
      Set<String> present = new HashSet<>();
      for (Path jar : jars) {
        present.add(line(jar));
      }
      return present.equals(Set.copyOf(Files.readAllLines(list)));
    } catch (IOException e) {
      return false; // without the list nobody knows; the server only starts more slowly
    }
  }

  private static String line(Path jar) throws IOException {
    long seconds = Files.getLastModifiedTime(jar).to(TimeUnit.SECONDS);
    return Files.size(jar) + " " + seconds + " " + jar.getFileName();
  }
}
