package dev.microsandbox.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.microsandbox.model.EndReason;
import dev.microsandbox.model.IsolationKind;
import dev.microsandbox.model.NetworkPolicy;
import dev.microsandbox.model.Outcome;
import dev.microsandbox.model.SandboxState;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/// The code and `spec/openapi.yaml` say the same.
class OpenApiTest {
  private static final Set<String> METHODS = Set.of("get", "post", "put", "patch", "delete");
  private static final JsonNode SPEC = load();

  private static JsonNode load() {
    try {
      return new YAMLMapper().readTree(Files.readString(Path.of("../../spec/openapi.yaml")));
    } catch (java.io.IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<Route> routes() {
    try (ServerFixture fixture = new ServerFixture(true)) {
      return HttpServer.routes(
          ServerSettings.local(0, null, true),
          new ServerParts(
              "0",
              fixture.service,
              fixture.service,
              fixture.service,
              List::of,
              new io.micrometer.prometheusmetrics.PrometheusMeterRegistry(
                  io.micrometer.prometheusmetrics.PrometheusConfig.DEFAULT),
              _ -> {}),
          new ClientWatch());
    }
  }

  private static Map<String, JsonNode> operations() {
    Map<String, JsonNode> operations = new TreeMap<>();
    SPEC.get("paths")
        .properties()
        .forEach(path ->
            path.getValue()
                .properties()
                .forEach(operation -> {
                  if (METHODS.contains(operation.getKey())) {
                    operations.put(
                        operation.getKey().toUpperCase(java.util.Locale.ROOT) + " " + path.getKey(),
                        operation.getValue());
                  }
                }));
    return operations;
  }

  private static JsonNode operation(Map<String, JsonNode> operations, Route route) {
    JsonNode operation = operations.get(name(route));
    if (operation == null) {
      throw new AssertionError("not described: " + name(route));
    }
    return operation;
  }

  private static String name(Route route) {
    return route.method() + " " + route.path();
  }

  @Test
  void everyRouteIsDescribedAndEveryDescriptionServed() {
    assertThat(routes().stream().map(OpenApiTest::name))
        .containsExactlyInAnyOrderElementsOf(operations().keySet());
  }

  @Test
  void statusesAgree() {
    Map<String, JsonNode> operations = operations();
    for (Route route : routes()) {
      JsonNode responses = operation(operations, route).get("responses");
      assertThat(responses.propertyNames())
          .as(name(route))
          .containsExactlyInAnyOrder(String.valueOf(route.status()), "default");
    }
  }

  @Test
  void bodiesOfRequestsAgree() {
    Map<String, JsonNode> operations = operations();
    for (Route route : routes()) {
      JsonNode body = resolved(operation(operations, route).path("requestBody"));
      JsonNode schema = body.path("content").path("application/json").path("schema");
      if (route.takes() != null) {
        assertThat(schemaName(schema)).as(name(route)).isEqualTo(route.takes().getSimpleName());
        compareRequest(route.takes(), resolved(schema));
      } else if (!route.path().startsWith("/api/")) {
        assertThat(schema.isMissingNode()).as(name(route)).isTrue();
      }
    }
  }

  @Test
  void bodiesOfAnswersAgree() {
    Map<String, JsonNode> operations = operations();
    for (Route route : routes()) {
      JsonNode response =
          resolved(
              operation(operations, route).path("responses").path(String.valueOf(route.status())));
      JsonNode schema = response.path("content").path("application/json").path("schema");
      if (route.gives() == RpcBodies.Response.class) {
        assertThat(schemaName(schema)).isEqualTo("RpcResponse");
      } else if (route.gives() != null) {
        assertThat(schemaName(schema)).as(name(route)).isEqualTo(route.gives().getSimpleName());
      } else {
        assertThat(schema.isMissingNode()).as(name(route)).isTrue();
      }
    }
  }

  @Test
  void everyRecordOfAnAnswerHasTheFieldsOfItsSchema() {
    Stream.of(ResponseBodies.class, RunBodies.class)
        .flatMap(holder -> Arrays.stream(holder.getDeclaredClasses()))
        .filter(Class::isRecord)
        .filter(type -> type != RunBodies.OutputEvent.class)
        .forEach(this::compareAnswer);
  }

  @Test
  void accessAgrees() {
    Map<String, JsonNode> operations = operations();
    for (Route route : routes()) {
      JsonNode operation = operation(operations, route);
      boolean administrator = operation.get("summary").asString().contains("Administrator only");
      boolean anybody = operation.has("security");
      Access expected =
          administrator ? Access.ADMINISTRATOR : anybody ? Access.ANYBODY : Access.CALLER;
      assertThat(route.access()).as(name(route)).isEqualTo(expected);
    }
  }

  @Test
  void enumerationsAgree() {
    assertThat(values("Outcome", null))
        .isEqualTo(names(Arrays.stream(Outcome.values()).map(Outcome::wireName)));
    assertThat(values("Sandbox", "state"))
        .isEqualTo(names(Arrays.stream(SandboxState.values()).map(SandboxState::wireName)));
    assertThat(values("Sandbox", "isolation"))
        .isEqualTo(names(Arrays.stream(IsolationKind.values()).map(IsolationKind::wireName)));
    assertThat(values("Sandbox", "network"))
        .isEqualTo(names(Arrays.stream(NetworkPolicy.values()).map(NetworkPolicy::wireName)));
    assertThat(values("Sandbox", "end_reason"))
        .isEqualTo(names(Arrays.stream(EndReason.values()).map(EndReason::wireName)));
  }

  private static Set<String> names(Stream<String> names) {
    return new TreeSet<>(names.toList());
  }

  private static Set<String> values(String schema, @Nullable String property) {
    JsonNode node = schema(schema);
    if (property != null) {
      node = node.get("properties").get(property);
    }
    Set<String> values = new TreeSet<>();
    node.get("enum")
        .forEach(value -> {
          if (!value.isNull()) {
            values.add(value.asString());
          }
        });
    return values;
  }

  private void compareRequest(Class<?> type, JsonNode schema) {
    assertThat(schema.path("additionalProperties").asBoolean(true)).as(type.getName()).isFalse();
    assertThat(texts(schema.path("required")))
        .as("required fields of " + type.getSimpleName())
        .isEqualTo(fields(type, true));
    assertThat(new TreeSet<>(schema.path("properties").propertyNames()))
        .as("fields of " + type.getSimpleName())
        .isEqualTo(fields(type, false));
    compareTypes(type, schema);
  }

  private void compareAnswer(Class<?> type) {
    JsonNode schema = schema(type.getSimpleName());
    assertThat(new TreeSet<>(schema.path("properties").propertyNames()))
        .as("fields of " + type.getSimpleName())
        .isEqualTo(fields(type, false));
    assertThat(texts(schema.path("required")))
        .as("required fields of " + type.getSimpleName())
        .isEqualTo(fields(type, false));
    compareTypes(type, schema);
  }

  /// A number is a number, and what may be null here may be null there.
  private void compareTypes(Class<?> type, JsonNode schema) {
    for (RecordComponent component : type.getRecordComponents()) {
      JsonNode property = resolved(schema.get("properties").get(Json.wireName(component)));
      List<String> types = new ArrayList<>();
      JsonNode stated = property.path("type");
      (stated.isArray() ? stated : List.of(stated)).forEach(t -> types.add(t.asString("")));
      property.path("anyOf").forEach(t -> types.add(resolved(t).path("type").asString("")));
      assertThat(types.contains("null"))
          .as(type.getSimpleName() + "." + component.getName() + " may be null")
          .isEqualTo(!Json.isRequired(component));
      assertThat(types)
          .as(type.getSimpleName() + "." + component.getName())
          .contains(jsonType(component.getType()));
    }
  }

  private static String jsonType(Class<?> type) {
    if (type == String.class || type == java.time.Instant.class) {
      return "string";
    } else if (type == double.class || type == Double.class) {
      return "number";
    } else if (type == boolean.class || type == Boolean.class) {
      return "boolean";
    } else if (type.isPrimitive() || type == Integer.class || type == Long.class) {
      return "integer";
    } else if (List.class.isAssignableFrom(type)) {
      return "array";
    }
    return "object";
  }

  private static Set<String> fields(Class<?> type, boolean requiredOnly) {
    Set<String> names = new TreeSet<>();
    for (RecordComponent component : type.getRecordComponents()) {
      if (!requiredOnly || Json.isRequired(component)) {
        names.add(Json.wireName(component));
      }
    }
    return names;
  }

  private static Set<String> texts(JsonNode array) {
    Set<String> texts = new TreeSet<>();
    array.forEach(text -> texts.add(text.asString()));
    return texts;
  }

  private static JsonNode schema(String name) {
    JsonNode schema = SPEC.at("/components/schemas/" + name);
    assertThat(schema.isMissingNode()).as("schema " + name).isFalse();
    return schema;
  }

  private static JsonNode resolved(JsonNode node) {
    return node.has("$ref") ? SPEC.at(node.get("$ref").asString().substring(1)) : node;
  }

  private static String schemaName(JsonNode schema) {
    String ref = schema.path("$ref").asString("");
    return ref.substring(ref.lastIndexOf('/') + 1);
  }
}
