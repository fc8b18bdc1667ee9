package dev.microsandbox.server;

import static java.util.Objects.requireNonNullElse;

import dev.microsandbox.engine.ContextSpec;
import dev.microsandbox.engine.SandboxService;
import dev.microsandbox.model.Language;
import dev.microsandbox.server.RequestBodies.OpenContext;
import java.util.List;

/// Further interpreters of a sandbox.
final class ContextRoutes {
  private static final String ALL = SandboxRoutes.ONE + "/contexts";

  private final SandboxService service;

  ContextRoutes(SandboxService service) {
    this.service = service;
  }

  List<Route> routes() {
    return List.of(
        Route.post(ALL, OpenContext.class, ResponseBodies.Context.class, 201, this::open),
        Route.get(ALL, ResponseBodies.ContextList.class, this::list),
        Route.delete(ALL + "/{context}", this::close));
  }

  private void open(Exchange exchange) throws InterruptedException {
    OpenContext wanted = exchange.body(OpenContext.class);
    ContextSpec spec =
        new ContextSpec(
            wanted.id(),
            Language.parse(wanted.language()),
            SandboxRoutes.pairs(wanted.env(), "env"),
            requireNonNullElse(wanted.workingDirectory(), ""),
            requireNonNullElse(wanted.user(), ""));
    exchange.json(
        ResponseBodies.Context.of(
            service.openContext(exchange.caller(), exchange.sandbox(), spec)));
  }

  private void list(Exchange exchange) {
    exchange.json(
        new ResponseBodies.ContextList(
            service.contexts(exchange.caller(), exchange.sandbox()).stream()
                .map(ResponseBodies.Context::of)
                .toList()));
  }

  private void close(Exchange exchange) throws InterruptedException {
    exchange.ignoreBody();
    service.closeContext(exchange.caller(), exchange.sandbox(), exchange.parameter("context"));
    exchange.done();
  }
}
