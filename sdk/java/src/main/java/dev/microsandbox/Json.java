package dev.microsandbox;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/// The JSON library, kept out of every signature. Only its reader and writer are used: binding to
/// classes by reflection would cost a command line most of its start.
final class Json {
  private static final JsonFactory FACTORY = new JsonFactory();

  private Json() {}

  /// Reads an object.
  ///
  /// @throws SandboxException where it is none
  static JsonObject read(byte[] bytes) {
    try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), bytes)) {
      if (parser.nextToken() == JsonToken.START_OBJECT) {
        return new JsonObject(object(parser));
      }
    } catch (JacksonException e) {
      throw new SandboxException(
          ErrorCode.INTERNAL, "the server's answer is not JSON: " + e.getOriginalMessage());
    }
    throw new SandboxException(ErrorCode.INTERNAL, "the server's answer is not a JSON object");
  }

  /// Writes texts, numbers, booleans, lists and maps of these; fields that are null are left out.
  static byte[] write(Map<String, ? extends @Nullable Object> fields) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(256);
    try (JsonGenerator generator = FACTORY.createGenerator(ObjectWriteContext.empty(), out)) {
      write(generator, fields);
    }
    return out.toByteArray();
  }

  // As deep as the library lets it be, which bounds nesting.
  private static Map<String, @Nullable Object> object(JsonParser parser) {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      parser.nextToken();
      fields.put(name, value(parser));
    }
    return fields;
  }

  private static List<@Nullable Object> list(JsonParser parser) {
    List<@Nullable Object> values = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      values.add(value(parser));
    }
    return values;
  }

  private static @Nullable Object value(JsonParser parser) {
    return switch (parser.currentToken()) {
      case START_OBJECT -> object(parser);
      case START_ARRAY -> list(parser);
      case VALUE_STRING -> parser.getString();
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> parser.getNumberValue();
      case VALUE_TRUE -> Boolean.TRUE;
      case VALUE_FALSE -> Boolean.FALSE;
      default -> null;
    };
  }

  // Not a switch over types, whose linking at run time takes a command line ten milliseconds.
  private static void write(JsonGenerator generator, @Nullable Object value) {
    if (value == null) {
      generator.writeNull();
    } else if (value instanceof String text) {
      generator.writeString(text);
    } else if (value instanceof Boolean truth) {
      generator.writeBoolean(truth);
    } else if (value instanceof Double number) {
      generator.writeNumber(number);
    } else if (value instanceof Number number) {
      generator.writeNumber(number.longValue());
    } else if (value instanceof List<?> values) {
      generator.writeStartArray();
      values.forEach(each -> write(generator, each));
      generator.writeEndArray();
    } else if (value instanceof Map<?, ?> fields) {
      writeFields(generator, fields);
    } else {
      throw new IllegalArgumentException("not for JSON: " + value.getClass());
    }
  }

  private static void writeFields(JsonGenerator generator, Map<?, ?> fields) {
    generator.writeStartObject();
    fields.forEach((name, each) -> {
      if (each != null) {
        generator.writeName(String.valueOf(name));
        write(generator, each);
      }
    });
    generator.writeEndObject();
  }
}
