package dev.microsandbox.server;

import dev.microsandbox.engine.ServerStatus;
import dev.microsandbox.model.IsolationKind;
import java.util.List;
import java.util.TreeMap;

/// The server itself: health, facts, findings, figures, its end; and the images it has.
final class ServerRoutes {
  private static final String PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

  private final ServerSettings settings;
  private final ServerParts parts;

  ServerRoutes(ServerSettings settings, ServerParts parts) {
    this.settings = settings;
    this.parts = parts;
  }

  List<Route> routes() {
    return List.of(
        Route.get("/api/v1/health", ResponseBodies.Health.class, this::health).by(Access.ANYBODY),
        Route.get("/v1/info", ResponseBodies.Info.class, this::info),
        Route.get("/v1/images", ResponseBodies.ImageList.class, this::images),
        Route.get("/metrics", null, this::metrics),
        Route.get("/v1/doctor", ResponseBodies.Doctor.class, this::doctor).by(Access.ADMINISTRATOR),
        Route.post("/v1/shutdown", RequestBodies.Shutdown.class, null, 202, this::shutdown)
            .by(Access.ADMINISTRATOR));
  }

  private void health(Exchange exchange) {
    exchange.json(new ResponseBodies.Health("Service is healthy"));
  }

  private void info(Exchange exchange) {
    ServerStatus status = parts.sandboxes().status();
    TreeMap<String, String> runtimes = new TreeMap<>();
    status.runtimes().forEach((kind, runtime) -> runtimes.put(kind.wireName(), runtime));
    exchange.json(
        new ResponseBodies.Info(
            parts.version(),
            ProcessHandle.current().pid(),
            status.accepting(),
            status.startedAt(),
            !settings.dev(),
            status.isolation().stream().map(IsolationKind::wireName).toList(),
            runtimes,
            status.running(),
            status.stored(),
            status.maximumSandboxes()));
  }

  private void images(Exchange exchange) {
    exchange.json(
        new ResponseBodies.ImageList(
            parts.sandboxes().images(exchange.caller()).stream()
                .map(ResponseBodies.Image::of)
                .toList()));
  }

  private void metrics(Exchange exchange) {
    exchange.text(PROMETHEUS, parts.meters().scrape());
  }

  private void doctor(Exchange exchange) {
    boolean usable = !parts.sandboxes().status().isolation().isEmpty();
    exchange.json(
        new ResponseBodies.Doctor(
            usable,
            parts.findings().get().stream()
                .map(f -> new ResponseBodies.Finding(f.subject(), f.works(), f.seen(), f.remedy()))
                .toList()));
  }

  private void shutdown(Exchange exchange) throws InterruptedException {
    RequestBodies.Shutdown wanted =
        exchange.body(RequestBodies.Shutdown.class, RequestBodies.Shutdown.EMPTY);
    exchange.done();
    parts.shutdown().begin(Boolean.TRUE.equals(wanted.keepSandboxes()));
  }
}
