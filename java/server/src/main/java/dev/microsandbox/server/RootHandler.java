package dev.microsandbox.server;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.lang.System.Logger.Level;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;

/// Every request's way: its route, who sends it, what it does, and how it ended.
///
/// The thread that reads all connections brings a request here. It serves what needs no waiting by
/// itself, and leaves everything else to a virtual thread.
final class RootHandler extends Handler.Abstract.NonBlocking {
  private static final System.Logger LOG = System.getLogger(RootHandler.class.getName());

  /// A body that is read while other connections wait.
  private static final int SMALL_BODY = 16 * 1024;

  private final RouteTable table;
  private final Gate gate;
  private final ServerSettings.HttpLimits limits;
  private final String localConnector;
  private final SlowClients slow;
  private final BodyBudget bodies;
  private final Executor threads;
  private final MeterRegistry meters;
  private final Map<String, Timer> timers = new ConcurrentHashMap<>();

  /// @param threads runs what may wait
  RootHandler(
      RouteTable table,
      Gate gate,
      ServerSettings.HttpLimits limits,
      String localConnector,
      SlowClients slow,
      Executor threads,
      MeterRegistry meters) {
    this.table = table;
    this.gate = gate;
    this.limits = limits;
    this.localConnector = localConnector;
    this.slow = slow;
    this.threads = threads;
    this.meters = meters;
    this.bodies = new BodyBudget(limits.allBodiesBytes());
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    // Work that takes long is no idleness; reading and writing have their own time limits.
    request.addIdleTimeoutListener(_ -> false);
    Visit visit = new Visit(request, response, callback);
    visit.begin();
    if (!visit.servedAtOnce()) {
      threads.execute(visit::serve);
    }
    return true;
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

  /// One request, until its answer has gone out, which may be after everybody has returned.
  private final class Visit {
    private final Request request;
    private final Response response;
    private final Callback callback;
    private final BodyBudget.Share memory = bodies.open();
    private final long start = System.nanoTime();
    private String route = "none";
    private RouteTable.@Nullable Match match;
    private @Nullable Exchange exchange;

    Visit(Request request, Response response, Callback callback) {
      this.request = request;
      this.response = response;
      this.callback = callback;
    }

    void begin() {
      Connection connection = request.getConnectionMetaData().getConnection();
      slow.begin(connection);
      Request.addCompletionListener(
          request,
          _ -> {
            memory.close();
            slow.end(connection);
            record(route, response.getStatus(), System.nanoTime() - start);
          });
    }

    /// @return false where a thread that may wait has to do it
    boolean servedAtOnce() {
      if (request.getLength() < 0 || request.getLength() > SMALL_BODY) {
        return false;
      }
      try {
        Route.QuickEndpoint quick = match().route().atOnce();
        return quick != null && quick.serve(exchange());
      } catch (Exception e) {
        Failures.answer(request, response, callback, e);
        return true;
      }
    }

    void serve() {
      try {
        match().route().endpoint().serve(exchange());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        Failures.answer(request, response, callback, Failures.stopping());
      } catch (Exception e) {
        Failures.answer(request, response, callback, e);
      }
    }

    private RouteTable.Match match() {
      RouteTable.Match found = match;
      if (found == null) {
        found = find();
        match = found;
        route = found.route().method() + " " + found.route().path();
      }
      return found;
    }

    /// Whoever may not come in learns nothing about which paths there are.
    private RouteTable.Match find() {
      try {
        return table.find(request.getMethod(), request.getHttpURI().getPath());
      } catch (RuntimeException e) {
        gate.admit(request, Access.CALLER, isLocal());
        throw e;
      }
    }

    private Exchange exchange() {
      Exchange made = exchange;
      if (made == null) {
        Access access = match().route().access();
        Visitor visitor = gate.admit(request, access, isLocal());
        if (access == Access.ADMINISTRATOR) {
          LOG.log(Level.INFO, "{0} by {1}", route, Peer.of(request));
        }
        made = new Exchange(request, response, callback, match(), visitor, limits, memory);
        exchange = made;
      }
      return made;
    }

    private boolean isLocal() {
      return localConnector.equals(request.getConnectionMetaData().getConnector().getName());
    }
  }
}
