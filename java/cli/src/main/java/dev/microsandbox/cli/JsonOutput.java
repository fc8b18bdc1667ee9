package dev.microsandbox.cli;

import java.io.PrintStream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/// JSON for programs: fields in snake_case, times in ISO 8601.
final class JsonOutput {
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(SerializationFeature.INDENT_OUTPUT)
          .build();

  private JsonOutput() {}

  static void print(PrintStream out, Object value) {
    JsonNode tree = MAPPER.valueToTree(value);
    out.println(MAPPER.writeValueAsString(tree));
  }
}
