package dev.microsandbox.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JavaOptionsTest {
  /// The project's folder, which holds the modules.
  static Path project() {
    for (Path folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
      if (Files.exists(folder.resolve("packaging/microsandbox.service"))) {
        return folder;
      }
    }
    throw new AssertionError("not within the project");
  }

  @Test
  void theUnitStartsTheServerWithTheSameOptions() throws Exception {
    String unit = Files.readString(project().resolve("packaging/microsandbox.service"));
    String start = unit.replace("\\\n", " ");
    List<String> words =
        Arrays.stream(
                start
                    .substring(start.indexOf("ExecStart="))
                    .lines()
                    .findFirst()
                    .orElseThrow()
                    .split(" +"))
            .toList();
    assertThat(words.subList(1, words.indexOf("-cp")))
        .containsExactlyElementsOf(JavaOptions.forServer(null));
  }

  /// With a cache whose list of jars was written by the script that msb reads it with.
  @Test
  void aCacheIsUsedWithTheJarsThatItWasMadeOfAlone(@TempDir Path install) throws Exception {
    Path built = install.resolve("java/app/target");
    Path jar = Files.createDirectories(built.resolve("lib")).resolve("a.jar");
    Files.writeString(jar, "old");
    Files.writeString(built.resolve("lib/b.jar"), "b");
    Files.createFile(built.resolve("server.aot"));
    assertThat(caches(install)).as("no list").isFalse();

    shell(built, "jars >\"$APP/aot.jars\"");
    assertThat(caches(install)).isTrue();
    assertThat(shell(built, "caches_fit")).isZero();

    FileTime before = Files.getLastModifiedTime(jar);
    Files.writeString(jar, "newer");
    Files.setLastModifiedTime(jar, before);
    assertThat(caches(install)).as("another size").isFalse();
    assertThat(shell(built, "caches_fit")).isNotZero();

    Files.writeString(jar, "new");
    Files.setLastModifiedTime(jar, FileTime.from(before.toInstant().minusSeconds(1)));
    assertThat(caches(install)).as("another time, though an older one").isFalse();
    assertThat(shell(built, "caches_fit")).isNotZero();

    Files.setLastModifiedTime(jar, before);
    Files.writeString(built.resolve("lib/c.jar"), "c");
    assertThat(caches(install)).as("another jar").isFalse();
    assertThat(shell(built, "caches_fit")).isNotZero();
  }

  private static boolean caches(Path install) {
    return JavaOptions.forServer(install).stream().anyMatch(option -> option.contains("AOTCache"));
  }

  private static int shell(Path built, String command) throws Exception {
    String script = "ROOT=$1; . \"$1/scripts/lib.sh\"; APP=$2; " + command;
    return new ProcessBuilder("bash", "-c", script, "bash", project().toString(), built.toString())
        .inheritIO()
        .start()
        .waitFor();
  }
}
