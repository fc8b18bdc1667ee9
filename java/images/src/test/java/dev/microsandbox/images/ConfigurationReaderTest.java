package dev.microsandbox.images;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.microsandbox.model.Digest;
import dev.microsandbox.model.Language;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigurationReaderTest {

  @Test
  void readsWhatABuildWrites() throws DamagedImageException {
    ImageConfiguration configuration = parse(StoreFixture.configuration());
    assertThat(configuration.user()).isEqualTo("sandbox");
    assertThat(configuration.workingDirectory()).isEqualTo("/home/sandbox");
    assertThat(configuration.environment())
        .containsExactly(
            Map.entry("PATH", "/home/sandbox/.venv/bin:/usr/bin"),
            Map.entry("LANG", "C.UTF-8"),
            Map.entry("EMPTY", ""));
    assertThat(configuration.labels()).containsEntry("dev.microsandbox.recipe", "r");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"os\": \"linux\"          | \"os\": \"windows\"       | os",
        "\"os\": \"linux\"          | \"os\": 7                 | os",
        "\"User\": \"sandbox\",     | ''                        | User",
        "\"User\": \"sandbox\"      | \"User\": \"\"            | User",
        "\"User\": \"sandbox\"      | \"User\": \"a\\u0000b\"   | User",
        "\"/home/sandbox\"          | \"home/sandbox\"          | WorkingDir",
        "\"LANG=C.UTF-8\"           | \"LANG\"                  | Env",
        "\"LANG=C.UTF-8\"           | \"=x\"                    | Env",
        "\"LANG=C.UTF-8\"           | 1                         | Env",
        "recipe\": \"r\" | recipe\": {} | Labels",
        "2026-11-24T09:50:39Z       | yesterday                 | created",
        "sha256:abab                | sha256:cdcd               | rootfs.diff_ids",
        "interpreter\": \"python\" | interpreter\": \"cobol\" | interpreter",
      })
  void refusesAFieldThatIsWrong(String from, String to, String named) {
    String changed = StoreFixture.configuration().replace(from, to);
    assertThat(changed).isNotEqualTo(StoreFixture.configuration());
    assertThatThrownBy(() -> parse(changed))
        .isInstanceOf(DamagedImageException.class)
        .hasMessageContaining(named);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "{", "[]", "null", "7", "{} {}", "{\"os\":\"linux\",\"os\":\"linux\"}"})
  void refusesWhatIsNoConfiguration(String json) {
    assertThatThrownBy(() -> parse(json)).isInstanceOf(DamagedImageException.class);
  }

  @Test
  void refusesDeepNesting() {
    assertThatThrownBy(() -> parse("[".repeat(100_000))).isInstanceOf(DamagedImageException.class);
  }

  @Test
  void refusesAFileThatIsTooLarge(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("config.json");
    Files.write(file, new byte[ConfigurationReader.MAXIMUM_BYTES + 1]);
    assertThatThrownBy(() -> ConfigurationReader.read(file, StoreFixture.DIGEST))
        .isInstanceOf(DamagedImageException.class)
        .hasMessageContaining("too large");
  }

  @Test
  void refusesAMissingFile(@TempDir Path folder) {
    assertThatThrownBy(
            () -> ConfigurationReader.read(folder.resolve("config.json"), StoreFixture.DIGEST))
        .isInstanceOf(DamagedImageException.class)
        .hasMessageContaining("missing");
  }

  @Test
  void passesOverFieldsThatAreNotUsed() throws DamagedImageException {
    String more = StoreFixture.configuration().replaceFirst("\\{", "{\"history\": [{}], ");
    assertThat(parse(more)).isEqualTo(parse(StoreFixture.configuration()));
  }

  @Test
  void anImageMayHaveSeveralInterpretersOrNone() throws DamagedImageException {
    String json = StoreFixture.configuration();
    assertThat(parse(json.replace("\"python\"", "\"python, node\"")).languages())
        .containsExactly(Language.PYTHON, Language.NODE);
    assertThat(parse(json.replace("dev.microsandbox.interpreter", "other")).languages()).isEmpty();
  }

  private static ImageConfiguration parse(String json) throws DamagedImageException {
    Digest digest = StoreFixture.DIGEST;
    return ConfigurationReader.parse(json.getBytes(StandardCharsets.UTF_8), digest);
  }
}
