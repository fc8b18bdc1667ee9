package dev.microsandbox.server;

import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.exc.InputCoercionException;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.exc.StreamReadException;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.cfg.DateTimeFeature;
import tools.jackson.databind.exc.PropertyBindingException;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.module.SimpleModule;

/// Reads and writes the API's JSON: strict in what it takes.
///
/// Refused beside what is not JSON: duplicate keys, more than 64 levels, numbers of more than 100
/// digits, names of more than 1,024 characters, halves of surrogate pairs, and anything after the
/// value. Binding to a record also refuses unknown fields and values of another type.
final class Json {
  static final int MAXIMUM_DEPTH = 64;
  private static final int MAXIMUM_STRING = 16 * 1024 * 1024;

  static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(MAXIMUM_DEPTH)
                          .maxStringLength(MAXIMUM_STRING)
                          .maxNumberLength(100)
                          .maxNameLength(1024)
                          .build())
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
          .disable(DateTimeFeature.WRITE_DATES_AS_TIMESTAMPS)
          .addModule(new SimpleModule().addDeserializer(String.class, new WholeText()))
          .build();

  /// The components of a body's record that must be there. Looked for once: reflection makes the
  /// components and their annotations anew at each call, which took longer than reading the body.
  private static final ClassValue<List<RecordComponent>> REQUIRED =
      new ClassValue<>() {
        @Override
        protected List<RecordComponent> computeValue(Class<?> type) {
          return Arrays.stream(type.getRecordComponents()).filter(Json::isRequired).toList();
        }
      };

  private Json() {}

  static byte[] write(Object value) {
    return MAPPER.writeValueAsBytes(value);
  }

  static JsonNode tree(byte[] body) {
    try {
      return MAPPER.readTree(body);
    } catch (JacksonException e) {
      throw translate(e);
    }
  }

  /// Binds a body to a record; its components that are not `@Nullable` must be there.
  static <T extends Record> T read(byte[] body, Class<T> type) {
    T value;
    try {
      value = MAPPER.readValue(body, type);
    } catch (JacksonException e) {
      throw translate(e);
    }
    return checked(value, type);
  }

  /// The same for a part of a body.
  static <T extends Record> T read(JsonNode node, Class<T> type) {
    try {
      return checked(MAPPER.treeToValue(node, type), type);
    } catch (JacksonException e) {
      throw translate(e);
    }
  }

  private static <T extends Record> T checked(@Nullable T value, Class<T> type) {
    if (value == null) {
      throw invalid("the body must be a JSON object", "");
    }
    for (RecordComponent component : REQUIRED.get(type)) {
      if (valueOf(component, value) == null) {
        String field = wireName(component);
        throw invalid("the field " + field + " is missing", field);
      }
    }
    return value;
  }

  static boolean isRequired(RecordComponent component) {
    return !component.getAnnotatedType().isAnnotationPresent(Nullable.class);
  }

  static String wireName(RecordComponent component) {
    return component.getName().replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
  }

  private static @Nullable Object valueOf(RecordComponent component, Record value) {
    try {
      return component.getAccessor().invoke(value);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  static SandboxException translate(JacksonException e) {
    if (e instanceof StreamConstraintsException) {
      return new SandboxException(
          ErrorCode.INVALID_JSON,
          "the JSON is deeper than 64 levels, or a name or number too long");
    }
    boolean outOfRange = e instanceof InputCoercionException;
    if (e instanceof StreamReadException read && !outOfRange) {
      return malformed(read);
    }
    String field = field(e);
    String message =
        e instanceof PropertyBindingException
            ? "there is no field " + field
            : field.isEmpty()
                ? "the body must be a JSON object"
                : "the field " + field + " has the wrong type or an impossible value";
    return invalid(message, field);
  }

  private static SandboxException malformed(StreamReadException e) {
    boolean duplicate = e.getOriginalMessage().startsWith("Duplicate");
    String where =
        e.getLocation() == null
            ? ""
            : " (line %d, column %d)"
                .formatted(e.getLocation().getLineNr(), e.getLocation().getColumnNr());
    return new SandboxException(
        ErrorCode.INVALID_JSON,
        (duplicate ? "a key occurs twice in the JSON" : "the body is not valid JSON") + where);
  }

  private static String field(JacksonException e) {
    List<JacksonException.Reference> path = e.getPath();
    StringBuilder text = new StringBuilder();
    for (JacksonException.Reference step : path) {
      String name = step.getPropertyName();
      if (name != null) {
        text.append(text.isEmpty() ? "" : ".").append(name);
      }
    }
    return text.length() > 100 ? text.substring(0, 100) : text.toString();
  }

  private static SandboxException invalid(String message, String field) {
    return new SandboxException(ErrorCode.INVALID_REQUEST, message, Map.of("field", field));
  }
}
