package dev.microsandbox.server;

import static java.util.Objects.requireNonNullElse;

import dev.microsandbox.engine.SandboxFilter;
import dev.microsandbox.engine.SandboxInfo;
import dev.microsandbox.engine.SandboxService;
import dev.microsandbox.engine.TimeLimits;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.ImageReference;
import dev.microsandbox.model.IsolationKind;
import dev.microsandbox.model.Limits;
import dev.microsandbox.model.NetworkPolicy;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxName;
import dev.microsandbox.model.SandboxSpec;
import dev.microsandbox.server.RequestBodies.CreateSandbox;
import dev.microsandbox.server.RequestBodies.ExtendSandbox;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/// Sandboxes: create, list, look at, start, stop, delete; what they use, and their log.
final class SandboxRoutes {
  private static final String ALL = "/v1/sandboxes";
  static final String ONE = ALL + "/{sandbox}";

  private final SandboxService service;

  SandboxRoutes(SandboxService service) {
    this.service = service;
  }

  List<Route> routes() {
    Class<?> sandbox = ResponseBodies.Sandbox.class;
    return List.of(
        Route.post(ALL, CreateSandbox.class, sandbox, 201, this::create),
        Route.get(ALL, ResponseBodies.SandboxList.class, this::list),
        Route.get(ONE, sandbox, this::get),
        Route.of("PATCH", ONE, ExtendSandbox.class, sandbox, 200, this::extend),
        Route.delete(ONE, this::delete),
        Route.post(ONE + "/start", null, sandbox, 200, this::start),
        Route.post(ONE + "/stop", null, sandbox, 200, this::stop),
        Route.get(ONE + "/metrics", ResponseBodies.Metrics.class, this::metrics),
        Route.get(ONE + "/logs", ResponseBodies.LogList.class, this::logs));
  }

  private void create(Exchange exchange) throws InterruptedException {
    CreateSandbox wanted = exchange.body(CreateSandbox.class, CreateSandbox.EMPTY);
    SandboxInfo made = service.create(exchange.caller(), spec(exchange.caller().owner(), wanted));
    exchange.header("Location", ALL + "/" + made.id());
    exchange.json(ResponseBodies.Sandbox.of(made));
  }

  /// A request as the engine takes it, with the defaults filled in.
  static SandboxSpec spec(String owner, CreateSandbox wanted) {
    return new SandboxSpec(
        owner,
        requireNonNullElse(wanted.namespace(), SandboxSpec.DEFAULT_NAMESPACE),
        new SandboxName(wanted.name() == null ? generatedName() : wanted.name()),
        image(wanted.image()),
        isolation(wanted.isolation()),
        limits(wanted.memory(), wanted.cpus(), wanted.processes(), wanted.disk()),
        pairs(wanted.env(), "env"),
        pairs(wanted.labels(), "labels"),
        network(wanted.network()),
        Amounts.seconds(wanted.timeToLive(), "time_to_live"),
        wanted.idleTimeout() == null
            ? SandboxSpec.DEFAULT_IDLE_TIMEOUT
            : requireNonNullElse(
                Amounts.seconds(wanted.idleTimeout(), "idle_timeout"),
                SandboxSpec.DEFAULT_IDLE_TIMEOUT),
        requireNonNullElse(wanted.ephemeral(), false));
  }

  static String generatedName() {
    return "sandbox-" + HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt());
  }

  static ImageReference image(@Nullable String text) {
    return text == null ? ImageReference.PYTHON : ImageReference.parse(text);
  }

  static Limits limits(
      @Nullable Integer memory,
      @Nullable Double cpus,
      @Nullable Integer processes,
      @Nullable Integer disk) {
    return new Limits(
        Amounts.mib(memory, Limits.DEFAULT.memory(), "memory"),
        requireNonNullElse(cpus, Limits.DEFAULT.cpus()),
        requireNonNullElse(processes, Limits.DEFAULT.processes()),
        Amounts.mib(disk, Limits.DEFAULT.disk(), "disk"));
  }

  static @Nullable IsolationKind isolation(@Nullable String text) {
    if (text == null || text.equals("auto")) {
      return null;
    }
    for (IsolationKind kind : IsolationKind.values()) {
      if (kind.wireName().equals(text)) {
        return kind;
      }
    }
    throw Exchange.invalid("isolation", "isolation is auto, container, gvisor or microvm");
  }

  private static NetworkPolicy network(@Nullable String text) {
    if (text == null) {
      return NetworkPolicy.PUBLIC;
    }
    for (NetworkPolicy policy : NetworkPolicy.values()) {
      if (policy.wireName().equals(text)) {
        return policy;
      }
    }
    throw Exchange.invalid("network", "network is public or none");
  }

  static Map<String, String> pairs(@Nullable Map<String, @Nullable String> pairs, String field) {
    if (pairs == null) {
      return Map.of();
    }
    Map<String, String> checked = new HashMap<>();
    pairs.forEach((name, value) -> {
      if (value == null) {
        throw Exchange.invalid(field, field + ": the value of a name is null");
      }
      checked.put(name, value);
    });
    return checked;
  }

  private void list(Exchange exchange) {
    Map<String, String> labels = new HashMap<>();
    for (String label : exchange.queries("label")) {
      int equals = label.indexOf('=');
      if (equals <= 0) {
        throw Exchange.invalid("label", "a label is given as name=value");
      }
      labels.put(label.substring(0, equals), label.substring(equals + 1));
    }
    SandboxFilter filter = new SandboxFilter(exchange.query("namespace"), labels);
    exchange.json(
        new ResponseBodies.SandboxList(
            service.list(exchange.caller(), filter).stream()
                .map(ResponseBodies.Sandbox::of)
                .toList()));
  }

  private void get(Exchange exchange) {
    exchange.json(ResponseBodies.Sandbox.of(service.get(exchange.caller(), exchange.sandbox())));
  }

  private void extend(Exchange exchange) throws InterruptedException {
    ExtendSandbox wanted = exchange.body(ExtendSandbox.class, ExtendSandbox.EMPTY);
    TimeLimits limits =
        new TimeLimits(
            Amounts.seconds(wanted.timeToLive(), "time_to_live"),
            Amounts.seconds(wanted.idleTimeout(), "idle_timeout"));
    exchange.json(
        ResponseBodies.Sandbox.of(service.extend(exchange.caller(), exchange.sandbox(), limits)));
  }

  private void delete(Exchange exchange) throws InterruptedException {
    exchange.ignoreBody();
    service.delete(exchange.caller(), exchange.sandbox());
    exchange.done();
  }

  private void start(Exchange exchange) throws InterruptedException {
    exchange.ignoreBody();
    exchange.json(ResponseBodies.Sandbox.of(service.start(exchange.caller(), exchange.sandbox())));
  }

  private void stop(Exchange exchange) throws InterruptedException {
    exchange.ignoreBody();
    exchange.json(ResponseBodies.Sandbox.of(service.stop(exchange.caller(), exchange.sandbox())));
  }

  private void metrics(Exchange exchange) {
    exchange.json(
        ResponseBodies.Metrics.of(service.metrics(exchange.caller(), exchange.sandbox())));
  }

  private void logs(Exchange exchange) {
    long after = exchange.number("after", 0, Long.MAX_VALUE, 0);
    int limit = (int) exchange.number("limit", 1, 1000, 1000);
    exchange.json(
        new ResponseBodies.LogList(
            service.logs(exchange.caller(), exchange.sandbox(), after, limit).stream()
                .map(ResponseBodies.LogEntry::of)
                .toList()));
  }

  static SandboxException unsupported(String message) {
    return new SandboxException(ErrorCode.UNSUPPORTED, message);
  }
}
