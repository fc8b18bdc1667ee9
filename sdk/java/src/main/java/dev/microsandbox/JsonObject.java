package dev.microsandbox;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A JSON object of an answer. What is missing, or of another type than is asked for, is read as
/// the empty value, so that a newer server is understood as far as it goes.
///
/// @param fields texts, numbers, booleans, lists and maps of these
record JsonObject(Map<String, @Nullable Object> fields) {
  static final JsonObject EMPTY = new JsonObject(Map.of());
  private static final double NANOS = 1e9;

  boolean isEmpty() {
    return fields.isEmpty();
  }

  String text(String name) {
    return fields.get(name) instanceof String text ? text : "";
  }

  @Nullable String textOrNull(String name) {
    return fields.get(name) instanceof String text ? text : null;
  }

  boolean truth(String name) {
    return Boolean.TRUE.equals(fields.get(name));
  }

  boolean truth(String name, boolean missing) {
    return fields.get(name) instanceof Boolean truth ? truth : missing;
  }

  int integer(String name) {
    return number(name).intValue();
  }

  long whole(String name) {
    return number(name).longValue();
  }

  double decimal(String name) {
    return number(name).doubleValue();
  }

  @Nullable Integer integerOrNull(String name) {
    return fields.get(name) instanceof Number number ? Integer.valueOf(number.intValue()) : null;
  }

  /// A time in seconds.
  Duration duration(String name) {
    return Duration.ofNanos((long) (decimal(name) * NANOS));
  }

  @Nullable Duration durationOrNull(String name) {
    return fields.get(name) instanceof Number ? duration(name) : null;
  }

  /// A time that is always there.
  Instant instant(String name) {
    Instant instant = instantOrNull(name);
    return instant == null ? Instant.EPOCH : instant;
  }

  @Nullable Instant instantOrNull(String name) {
    String value = textOrNull(name);
    try {
      return value == null ? null : Instant.parse(value);
    } catch (DateTimeException e) {
      throw new SandboxException(ErrorCode.INTERNAL, "the server's answer has no time: " + name);
    }
  }

  JsonObject object(String name) {
    return fields.get(name) instanceof Map<?, ?> map ? of(map) : EMPTY;
  }

  List<String> texts(String name) {
    return values(name, value -> value instanceof String text ? text : "");
  }

  <T> List<T> objects(String name, Function<JsonObject, T> reader) {
    return values(name, value -> reader.apply(value instanceof Map<?, ?> map ? of(map) : EMPTY));
  }

  Map<String, String> textMap(String name) {
    Map<String, String> texts = new LinkedHashMap<>();
    object(name).fields.forEach((key, value) -> texts.put(key, value instanceof String s ? s : ""));
    return Collections.unmodifiableMap(texts);
  }

  private Number number(String name) {
    return fields.get(name) instanceof Number number ? number : 0;
  }

  private <T> List<T> values(String name, Function<@Nullable Object, T> reader) {
    List<T> read = new ArrayList<>();
    if (fields.get(name) instanceof List<?> values) {
      values.forEach(value -> read.add(reader.apply(value)));
    }
    return List.copyOf(read);
  }

  private static JsonObject of(Map<?, ?> map) {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    map.forEach((name, value) -> fields.put(String.valueOf(name), value));
    return new JsonObject(fields);
  }
}
