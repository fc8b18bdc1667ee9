package dev.microsandbox;

import java.io.InputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// The JSON library, kept out of every signature. Trees are read by hand: binding to records by
/// reflection would cost a command line most of its start.
final class Json {
  private static final JsonMapper MAPPER = JsonMapper.builder().build();

  private Json() {}

  static ObjectNode object() {
    return MAPPER.createObjectNode();
  }

  static byte[] write(JsonNode node) {
    return MAPPER.writeValueAsBytes(node);
  }

  static JsonNode read(InputStream in) {
    return parsed(() -> MAPPER.readTree(in));
  }

  static JsonNode read(String text) {
    return parsed(() -> MAPPER.readTree(text));
  }

  private static JsonNode parsed(java.util.function.Supplier<JsonNode> reading) {
    try {
      return reading.get();
    } catch (JacksonException e) {
      throw new SandboxException(
          "internal", "the server's answer is not JSON: " + e.getOriginalMessage(), Map.of());
    }
  }

  static String text(JsonNode node, String field) {
    return node.path(field).asString("");
  }

  static @Nullable String textOrNull(JsonNode node, String field) {
    JsonNode value = node.path(field);
    return value.isString() ? value.asString() : null;
  }

  static @Nullable Integer intOrNull(JsonNode node, String field) {
    JsonNode value = node.path(field);
    return value.isNumber() ? Integer.valueOf(value.asInt()) : null;
  }

  static @Nullable Instant instantOrNull(JsonNode node, String field) {
    String value = textOrNull(node, field);
    return value == null ? null : Instant.parse(value);
  }

  static List<String> texts(JsonNode node, String field) {
    return list(node, field, JsonNode::asString);
  }

  static <T> List<T> list(JsonNode node, String field, Function<JsonNode, T> reader) {
    List<T> values = new ArrayList<>();
    for (JsonNode value : node.path(field)) {
      values.add(reader.apply(value));
    }
    return List.copyOf(values);
  }

  static Map<String, String> textMap(JsonNode node, String field) {
    Map<String, String> values = new LinkedHashMap<>();
    node.path(field).properties().forEach(e -> values.put(e.getKey(), e.getValue().asString("")));
    return values;
  }

  static Map<String, Object> plainMap(JsonNode node) {
    Map<String, Object> values = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : node.properties()) {
      JsonNode value = entry.getValue();
      if (value.isString()) {
        values.put(entry.getKey(), value.asString());
      } else if (value.isNumber()) {
        values.put(entry.getKey(), value.numberValue());
      } else if (value.isBoolean()) {
        values.put(entry.getKey(), value.asBoolean());
      } else {
        values.put(entry.getKey(), value.toString());
      }
    }
    return values;
  }

  static void putTexts(ObjectNode node, String field, Map<String, String> values) {
    if (!values.isEmpty()) {
      ObjectNode target = node.putObject(field);
      values.forEach(target::put);
    }
  }
}
