package dev.microsandbox.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

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
}
