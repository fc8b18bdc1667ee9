package dev.microsandbox.app;

import dev.microsandbox.agent.AgentChannels;
import dev.microsandbox.egress.Egress;
import dev.microsandbox.engine.AgentConnector;
import dev.microsandbox.engine.EgressFactory;
import dev.microsandbox.engine.Engine;
import dev.microsandbox.engine.EngineClock;
import dev.microsandbox.engine.PoolTotals;
import dev.microsandbox.engine.StoredImages;
import dev.microsandbox.images.ImageStore;
import dev.microsandbox.isolation.IsolationDriver;
import dev.microsandbox.isolation.ProbeReport.Finding;
import dev.microsandbox.isolation.oci.ContainerDriver;
import dev.microsandbox.isolation.oci.ContainerSettings;
import dev.microsandbox.linux.HostMemory;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.server.HttpServer;
import dev.microsandbox.server.ServerParts;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;

/// All parts of the server, put together by hand.
final class Wiring implements AutoCloseable {
  private final AppSettings settings;
  private final AgentChannels channels;
  private final Egress egress;
  private final Engine engine;
  private final HttpServer http;
  private final PidFile pidFile;

  private Wiring(
      AppSettings settings,
      AgentChannels channels,
      Egress egress,
      Engine engine,
      HttpServer http,
      PidFile pidFile) {
    this.settings = settings;
    this.channels = channels;
    this.egress = egress;
    this.engine = engine;
    this.http = http;
    this.pidFile = pidFile;
  }

  /// Starts everything, in the order of the dependencies.
  ///
  /// @param shutdown what an administrator's request to end sets going; returns at once
  static Wiring open(AppSettings settings, ServerParts.Shutdown shutdown) {
    requireAgent(settings.agent());
    List<Finding> troubles = new ArrayList<>();
    Egress egress = Egress.open(settings.egress());
    AgentChannels channels = AgentChannels.open();
    try {
      Engine engine =
          Engine.open(
              settings.engine(),
              new Engine.Parts(
                  drivers(settings, troubles),
                  new StoredImages(ImageStore.open(settings.home().resolve("images"))),
                  AgentConnector.of(channels),
                  EgressFactory.of(egress),
                  EngineClock.system(),
                  HostMemory.ofHost()::isShort));
      try {
        HttpServer http =
            new HttpServer(settings.server(), parts(engine, List.copyOf(troubles), shutdown));
        http.start();
        engine.startPools();
        return new Wiring(settings, channels, egress, engine, http, PidFile.write(settings.home()));
      } catch (RuntimeException e) {
        engine.close();
        throw e;
      }
    } catch (RuntimeException e) {
      channels.close();
      egress.close();
      throw e;
    }
  }

  private static void requireAgent(Path agent) {
    if (!Files.isExecutable(agent)) {
      throw new SandboxException(
          ErrorCode.ISOLATION_UNAVAILABLE,
          "the agent is not at " + agent + "; build it with agent/build, or set --agent");
    }
  }

  /// A host without a working kind of isolation still gets a server, which can say what is wanting.
  private static List<IsolationDriver> drivers(AppSettings settings, List<Finding> troubles) {
    ContainerSettings containers =
        ContainerSettings.of(settings.home(), settings.agent())
            .withRuntime(settings.runtime())
            .withStrictRuntime(settings.strictRuntime());
    try {
      return List.of(ContainerDriver.open(containers));
    } catch (SandboxException e) {
      if (e.code() != ErrorCode.ISOLATION_UNAVAILABLE) {
        throw e; // nothing works without root, or without a home
      }
      troubles.add(new Finding("container isolation", false, e.message(), ""));
      System.getLogger(Wiring.class.getName())
          .log(System.Logger.Level.WARNING, "no containers on this host", e);
      return List.of();
    }
  }

  private static ServerParts parts(
      Engine engine, List<Finding> troubles, ServerParts.Shutdown shutdown) {
    PrometheusMeterRegistry meters = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    Gauge.builder("microsandbox.sandboxes.running", engine, e -> e.status().running())
        .register(meters);
    Gauge.builder("microsandbox.sandboxes.stored", engine, e -> e.status().stored())
        .register(meters);
    meterPools(engine, meters);
    return new ServerParts(
        AppSettings.version(),
        engine,
        engine.keys(),
        engine,
        () -> {
          List<Finding> findings = new ArrayList<>(troubles);
          findings.addAll(engine.findings());
          return findings;
        },
        meters,
        shutdown);
  }

  private static void meterPools(Engine engine, PrometheusMeterRegistry meters) {
    Gauge.builder("microsandbox.pool.ready", engine, e -> e.totals().ready()).register(meters);
    Gauge.builder("microsandbox.pool.starting", engine, e -> e.totals().starting())
        .register(meters);
    count(meters, "microsandbox.pool.hits", engine, PoolTotals::hits);
    count(meters, "microsandbox.pool.waits", engine, PoolTotals::waits);
    count(meters, "microsandbox.pool.misses", engine, PoolTotals::misses);
    count(meters, "microsandbox.pool.refills", engine, PoolTotals::refills);
    count(meters, "microsandbox.pool.refill.failures", engine, PoolTotals::failures);
    FunctionTimer.builder(
            "microsandbox.pool.claims",
            engine,
            e -> e.totals().claims(),
            e -> e.totals().claiming().toNanos(),
            TimeUnit.NANOSECONDS)
        .register(meters);
  }

  private static void count(
      PrometheusMeterRegistry meters,
      String name,
      Engine engine,
      ToLongFunction<PoolTotals> which) {
    FunctionCounter.builder(name, engine, e -> which.applyAsLong(e.totals())).register(meters);
  }

  /// Where it can be reached, for people.
  String addresses() {
    Path socket = settings.server().socket();
    String scheme = settings.server().tls() == null ? "http" : "https";
    String tcp = scheme + "://" + settings.server().host() + ":" + http.port();
    return socket == null ? tcp : tcp + " and unix:" + socket;
  }

  /// Ends requests, then sandboxes with what still runs in them, then everything else.
  @Override
  public void close() {
    close(false);
  }

  /// The same, or all but the sandboxes. Requests that wait for what goes on in them would take as
  /// long as that: they are answered first.
  void close(boolean keepSandboxes) {
    if (keepSandboxes) {
      engine.letGo();
    }
    http.drain();
    engine.close();
    http.close();
    channels.close();
    egress.close();
    pidFile.close();
  }
}
