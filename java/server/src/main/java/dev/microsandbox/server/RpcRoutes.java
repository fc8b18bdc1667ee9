package dev.microsandbox.server;

import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// JSON-RPC 2.0 as clients of the original system speak it: one object a request, no batches; a
/// request without an id is carried out and answered all the same.
final class RpcRoutes {
  private static final List<String> PATHS =
      List.of(
          "/api/v1/rpc",
          "/api/v1/sandbox/start",
          "/api/v1/sandbox/stop",
          "/api/v1/sandbox/command/run");

  private final RpcMethods methods;

  RpcRoutes(RpcMethods methods) {
    this.methods = methods;
  }

  List<Route> routes() {
    return PATHS.stream()
        .map(path -> Route.post(path, null, RpcBodies.Response.class, 200, this::serve))
        .toList();
  }

  private void serve(Exchange exchange) throws InterruptedException {
    JsonNode request;
    try {
      request = Json.tree(exchange.jsonBytes());
    } catch (SandboxException e) {
      if (e.code() != ErrorCode.INVALID_JSON) {
        throw e;
      }
      refuse(exchange, e.code(), e.message(), null);
      return;
    }
    JsonNode id = request.get("id");
    if (!request.path("jsonrpc").asStringOpt().filter("2.0"::equals).isPresent()) {
      refuse(exchange, ErrorCode.INVALID_RPC, "Invalid or missing jsonrpc version field", id);
      return;
    }
    JsonNode method = request.get("method");
    if (method == null || !method.isString()) {
      refuse(exchange, ErrorCode.INVALID_RPC, "Invalid or missing method field", id);
      return;
    }
    RpcMethods.Method known = methods.find(method.asString());
    if (known == null) {
      String name = method.asString();
      refuse(
          exchange,
          ErrorCode.UNKNOWN_METHOD,
          "Method not found: " + name.substring(0, Math.min(name.length(), 100)),
          id);
      return;
    }
    exchange.json(RpcBodies.Response.of(known.call(exchange, request.path("params")), id));
  }

  private static void refuse(
      Exchange exchange, ErrorCode code, String message, @Nullable JsonNode id) {
    exchange.json(
        code.httpStatus(),
        RpcBodies.Response.of(new RpcBodies.ProtocolError(code.rpcCode(), message), id));
  }
}
