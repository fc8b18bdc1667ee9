package dev.microsandbox.server;

import dev.microsandbox.engine.CommandRequest;
import dev.microsandbox.engine.RunHandle;
import dev.microsandbox.engine.RunRequest;
import dev.microsandbox.engine.RunResult;
import dev.microsandbox.engine.SandboxFilter;
import dev.microsandbox.engine.SandboxMetrics;
import dev.microsandbox.engine.SandboxRef;
import dev.microsandbox.engine.SandboxService;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.Language;
import dev.microsandbox.model.Outcome;
import dev.microsandbox.model.SandboxException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// The methods of the original system, over the same service as the native API.
final class RpcMethods {
  private static final String ALL_NAMESPACES = "*";
  private static final int MIB = 1024 * 1024;
  private static final int SIGNAL_EXIT = 128;

  private final SandboxService service;
  private final ClientWatch clients;
  private final RpcStart start;

  RpcMethods(SandboxService service, ClientWatch clients) {
    this.service = service;
    this.clients = clients;
    this.start = new RpcStart(service);
  }

  /// Does one method's work and gives its result.
  @FunctionalInterface
  interface Method {
    Object call(Exchange exchange, JsonNode params) throws InterruptedException;
  }

  @Nullable Method find(String name) {
    return switch (name) {
      case "sandbox.start" -> start;
      case "sandbox.stop" -> this::stop;
      case "sandbox.repl.run" -> this::runCell;
      case "sandbox.command.run" -> this::runCommand;
      case "sandbox.metrics.get" -> this::metrics;
      default -> null;
    };
  }

  private Object stop(Exchange exchange, JsonNode params) {
    SandboxRef sandbox = new RpcParams(params).sandbox();
    service.stop(exchange.caller(), sandbox);
    return "Sandbox " + sandbox.text() + " stopped successfully";
  }

  private Object runCell(Exchange exchange, JsonNode node) throws InterruptedException {
    RpcParams params = new RpcParams(node);
    String language = params.requiredText("language");
    RunRequest request =
        new RunRequest(
            Language.parse(language).wireName(),
            params.requiredText("code"),
            params.timeout(),
            false,
            null);
    RunResult result = await(exchange, service.run(exchange.caller(), params.sandbox(), request));
    return new RpcBodies.ReplRun(
        result.hasError() ? "error" : "success", language, RpcLines.ofCell(result));
  }

  private Object runCommand(Exchange exchange, JsonNode node) throws InterruptedException {
    RpcParams params = new RpcParams(node);
    String command = params.requiredText("command");
    List<String> args = params.texts("args");
    List<String> argv = new ArrayList<>(List.of(command));
    argv.addAll(args);
    CommandRequest request = request(argv, params.timeout());
    RunResult result =
        await(exchange, service.command(exchange.caller(), params.sandbox(), request));
    if (result.outcome() == Outcome.TIMED_OUT) {
      throw new SandboxException(
          ErrorCode.TIMED_OUT,
          "command timed out after "
              + Math.round(ResponseBodies.seconds(result.duration()))
              + " seconds");
    }
    return new RpcBodies.CommandRun(
        command, args, exitCode(result), !result.hasError(), RpcLines.ofCommand(result));
  }

  /// The analysis does not see in a class file that this array may be null.
  @SuppressWarnings("NullAway")
  private static CommandRequest request(List<String> argv, @Nullable Duration timeout) {
    return new CommandRequest(argv, Map.of(), "", "", null, false, timeout, false, null);
  }

  private static int exitCode(RunResult result) {
    if (result.exitCode() != null) {
      return result.exitCode();
    }
    return result.signal() == null ? 1 : SIGNAL_EXIT + result.signal();
  }

  private RunResult await(Exchange exchange, RunHandle run) throws InterruptedException {
    try (ClientWatch.Watched _ = clients.watch(exchange.request(), run::abandon)) {
      return run.await();
    }
  }

  private Object metrics(Exchange exchange, JsonNode node) {
    RpcParams params = new RpcParams(node);
    String namespace = params.namespace();
    String name = params.text("sandbox");
    SandboxFilter filter =
        new SandboxFilter(namespace.equals(ALL_NAMESPACES) ? null : namespace, Map.of());
    List<RpcBodies.Usage> usages = new ArrayList<>();
    for (var info : service.list(exchange.caller(), filter)) {
      if (name == null || name.equals(info.spec().name().value())) {
        usages.add(usage(service.metrics(exchange.caller(), SandboxRef.of(info.id()))));
      }
    }
    return new RpcBodies.MetricsList(usages);
  }

  private static RpcBodies.Usage usage(SandboxMetrics m) {
    boolean running = m.running();
    return new RpcBodies.Usage(
        m.namespace(),
        m.name(),
        running,
        running ? m.cpuPercent() : null,
        running ? m.memory().bytes() / MIB : null,
        running ? m.disk().bytes() : null);
  }
}
