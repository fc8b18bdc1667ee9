package dev.microsandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;

class RunResultTest {
  private static final Path VECTORS = Path.of("../../spec/vectors/executions.json");

  @TestFactory
  List<DynamicTest> saysWhatTheSharedVectorsSay() throws Exception {
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonNode vector : Json.read(Files.readString(VECTORS)).path("executions")) {
      tests.add(
          dynamicTest(
              Json.text(vector, "name"),
              () -> {
                RunResult result = RunResult.of(vector.path("run"));
                assertThat(result.output()).isEqualTo(Json.text(vector, "output"));
                assertThat(result.errorText()).isEqualTo(Json.text(vector, "error"));
                assertThat(result.hasError()).isEqualTo(vector.path("has_error").asBoolean());
              }));
    }
    assertThat(tests).hasSizeGreaterThan(5);
    return tests;
  }
}
