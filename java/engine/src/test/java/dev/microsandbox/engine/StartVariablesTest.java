package dev.microsandbox.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.microsandbox.model.Language;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class StartVariablesTest {
  private static final List<Language> BOTH = List.of(Language.PYTHON, Language.NODE);

  @Test
  void theTableIsThatOfTheSpecification() {
    JsonNode spec =
        new JsonMapper().readTree(Path.of("..", "..", "spec", "start-variables.json").toFile());
    assertThat(StartVariables.ALL).isEqualTo(table(spec.get("all")));
    for (Language language : Language.values()) {
      assertThat(StartVariables.BY_LANGUAGE.get(language))
          .as(language.wireName())
          .isEqualTo(table(spec.get(language.wireName())));
    }
  }

  private static StartVariables.Table table(JsonNode node) {
    return new StartVariables.Table(texts(node.get("names")), texts(node.get("prefixes")));
  }

  private static Set<String> texts(JsonNode array) {
    Set<String> texts = new HashSet<>();
    array.forEach(text -> texts.add(text.asString()));
    return texts;
  }

  @Test
  void onlyTheLanguagesThatAVariableActsOnAreStartedAnew() {
    assertThat(renewed(Map.of("PYTHONHASHSEED", "1"))).containsExactly(Language.PYTHON);
    assertThat(renewed(Map.of("NODE_OPTIONS", "--no-warnings"))).containsExactly(Language.NODE);
    assertThat(renewed(Map.of("LD_PRELOAD", "x.so"))).containsExactlyElementsOf(BOTH);
    assertThat(renewed(Map.of("NODE_ENV", "production", "TZ", "UTC", "PYTHO", "n"))).isEmpty();
  }

  @Test
  void whatTheImageSaysAlreadyChangesNothing() {
    Map<String, String> image = Map.of("LANG", "C.UTF-8");
    assertThat(StartVariables.renewed(BOTH, Map.of("LANG", "C.UTF-8"), image)).isEmpty();
    assertThat(StartVariables.renewed(BOTH, Map.of("LANG", "de_DE"), image)).isEqualTo(BOTH);
  }

  private static List<Language> renewed(Map<String, String> given) {
    return StartVariables.renewed(BOTH, given, Map.of());
  }
}
