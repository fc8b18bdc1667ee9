package dev.microsandbox.server;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.lang.System.Logger.Level;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/// Every request's way: its route, who sends it, what it does, and how it ended.
final class RootHandler extends Handler.Abstract {
  private static final System.Logger LOG = System.getLogger(RootHandler.class.getName());

  private final RouteTable table;
  private final Gate gate;
  private final ServerSettings.HttpLimits limits;
  private final String localConnector;
  private final SlowClients slow;
  private final BodyBudget bodies;
  private final MeterRegistry meters;
  private final Map<String, Timer> timers = new ConcurrentHashMap<>();

  RootHandler(
      RouteTable table,
      Gate gate,
      ServerSettings.HttpLimits limits,
      String localConnector,
      SlowClients slow,
      MeterRegistry meters) {
    this.table = table;
    this.gate = gate;
    this.limits = limits;
    this.localConnector = localConnector;
    this.slow = slow;
    this.bodies = new BodyBudget(limits.allBodiesBytes());
    this.meters = meters;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    // Work that takes long is no idleness; reading and writing have their own time limits.
    request.addIdleTimeoutListener(_ -> false);
    Connection connection = request.getConnectionMetaData().getConnection();
    slow.begin(connection);
    BodyBudget.Share memory = bodies.open();
    // Until the answer has gone out, which may be after this method has returned.
    Request.addCompletionListener(request, _ -> memory.close());
    try {
      serve(request, response, callback, memory);
    } finally {
      slow.end(connection);
    }
    return true;
  }

  private void serve(
      Request request, Response response, Callback callback, BodyBudget.Share memory) {
    long start = System.nanoTime();
    String route = "none";
    try {
      RouteTable.Match match = find(request);
      route = match.route().method() + " " + match.route().path();
      Visitor visitor = gate.admit(request, match.route().access(), isLocal(request));
      if (match.route().access() == Access.ADMINISTRATOR) {
        LOG.log(Level.INFO, "{0} by {1}", route, Peer.of(request));
      }
      Exchange exchange = new Exchange(request, response, callback, match, visitor, limits, memory);
      match.route().endpoint().serve(exchange);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      Failures.answer(request, response, callback, Failures.stopping());
    } catch (Exception e) {
      Failures.answer(request, response, callback, e);
    }
    record(route, response.getStatus(), System.nanoTime() - start);
  }

  /// Whoever may not come in learns nothing about which paths there are.
  private RouteTable.Match find(Request request) {
    try {
      return table.find(request.getMethod(), request.getHttpURI().getPath());
    } catch (RuntimeException e) {
      gate.admit(request, Access.CALLER, isLocal(request));
      throw e;
    }
  }

  private boolean isLocal(Request request) {
    return localConnector.equals(request.getConnectionMetaData().getConnector().getName());
  }

  /// The route's pattern, never the path: names and files are the caller's.
  private void record(String route, int status, long nanos) {
    timers
        .computeIfAbsent(route + " " + status, _ -> timer(route, status))
        .record(nanos, TimeUnit.NANOSECONDS);
    if (LOG.isLoggable(Level.DEBUG)) {
      LOG.log(Level.DEBUG, "{0} -> {1} in {2} us", route, status, nanos / 1000);
    }
  }

  private Timer timer(String route, int status) {
    return Timer.builder("microsandbox.http.requests")
        .tag("route", route)
        .tag("status", String.valueOf(status))
        .register(meters);
  }
}
