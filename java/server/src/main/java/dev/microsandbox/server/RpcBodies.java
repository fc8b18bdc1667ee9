package dev.microsandbox.server;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// The shapes of the original system's JSON-RPC, which published clients read.
final class RpcBodies {
  private RpcBodies() {}

  /// An error of a method.
  record Failure(String error, int code) {}

  /// An error of the protocol.
  record ProtocolError(int code, String message) {}

  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Response(
      String jsonrpc,
      @Nullable Object result,
      @Nullable ProtocolError error,
      @Nullable JsonNode id) {
    static Response of(@Nullable Object result, @Nullable JsonNode id) {
      return new Response("2.0", result, null, id);
    }

    static Response of(ProtocolError error, @Nullable JsonNode id) {
      return new Response("2.0", null, error, id);
    }
  }

  record Line(String stream, String text) {}

  record ReplRun(String status, String language, List<Line> output) {}

  record CommandRun(
      String command, List<String> args, int exitCode, boolean success, List<Line> output) {}

  record MetricsList(List<Usage> sandboxes) {}

  /// @param cpuUsage percent; null where it does not run
  /// @param memoryUsage MiB
  /// @param diskUsage bytes
  record Usage(
      String namespace,
      String name,
      boolean running,
      @Nullable Double cpuUsage,
      @Nullable Long memoryUsage,
      @Nullable Long diskUsage) {}
}
