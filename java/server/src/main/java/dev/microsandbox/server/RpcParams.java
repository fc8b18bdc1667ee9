package dev.microsandbox.server;

import dev.microsandbox.engine.SandboxRef;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// The parameters of one JSON-RPC call. Unlike in the native API, fields that are not known are
/// passed over, as the original system did.
final class RpcParams {
  /// The Go client sends a time limit in nanoseconds, which no bound of ours should refuse.
  private static final Duration LONGEST = Duration.ofDays(30);

  private final JsonNode params;

  RpcParams(JsonNode params) {
    if (!params.isObject()) {
      throw invalid("Request parameters must be an object containing 'sandbox'", "params");
    }
    this.params = params;
  }

  SandboxRef sandbox() {
    String name = text("sandbox");
    if (name == null) {
      throw invalid("Missing required 'sandbox' parameter", "sandbox");
    }
    return new SandboxRef(namespace(), name);
  }

  String namespace() {
    String namespace = text("namespace");
    return namespace == null ? SandboxSpec.DEFAULT_NAMESPACE : namespace;
  }

  @Nullable String text(String field) {
    JsonNode node = params.get(field);
    if (node == null || node.isNull()) {
      return null;
    }
    if (!node.isString()) {
      throw invalid(field + " must be a string", field);
    }
    return node.asString();
  }

  String requiredText(String field) {
    String text = text(field);
    if (text == null) {
      throw invalid("Missing required '" + field + "' parameter", field);
    }
    return text;
  }

  /// @return empty where the field is missing
  List<String> texts(String field) {
    JsonNode node = params.get(field);
    if (node == null || node.isNull()) {
      return List.of();
    }
    List<String> texts = new ArrayList<>();
    for (JsonNode each : node) {
      if (!each.isString()) {
        throw invalid(field + " must be a list of strings", field);
      }
      texts.add(each.asString());
    }
    if (!node.isArray()) {
      throw invalid(field + " must be a list of strings", field);
    }
    return texts;
  }

  @Nullable Double number(String field) {
    JsonNode node = params.get(field);
    if (node == null || node.isNull()) {
      return null;
    }
    if (!node.isNumber()) {
      throw invalid(field + " must be a number", field);
    }
    return node.asDouble();
  }

  @Nullable Duration timeout() {
    Double seconds = number("timeout");
    if (seconds == null) {
      return null;
    }
    return seconds > LONGEST.toSeconds() ? LONGEST : Amounts.seconds(seconds, "timeout");
  }

  @Nullable RpcParams object(String field) {
    JsonNode node = params.get(field);
    return node == null || node.isNull() ? null : new RpcParams(node);
  }

  static SandboxException invalid(String message, String field) {
    return new SandboxException(ErrorCode.INVALID_REQUEST, message, Map.of("field", field));
  }
}
