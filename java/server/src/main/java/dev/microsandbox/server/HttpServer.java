package dev.microsandbox.server;

import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import java.net.BindException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.GracefulHandler;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/// The APIs on their listeners. Requests are served by virtual threads, but for those that need no
/// waiting.
public final class HttpServer implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(HttpServer.class.getName());
  private static final int SELECTOR_THREADS = 16;
  private static final int IDLE_MILLIS = 60_000;
  private static final long LAST_ANSWERS_MILLIS = 1000;

  private final Server server;
  private final Listeners listeners;
  private final ClientWatch clients = new ClientWatch();
  private final GracefulHandler graceful;
  private final Duration drain;

  /// Nothing listens before [#start].
  public HttpServer(ServerSettings settings, ServerParts parts) {
    // Jetty's own queue asks the JVM for the size of a cache line by way of JMX, all of which is
    // loaded for that: 100 ms of a start.
    QueuedThreadPool threads =
        new QueuedThreadPool(SELECTOR_THREADS, 4, IDLE_MILLIS, new LinkedBlockingQueue<>());
    threads.setName("http");
    Executor waiting =
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("request-", 0).factory());
    threads.setVirtualThreadsExecutor(waiting);
    server = new Server(threads);
    SlowClients slow = new SlowClients(server.getScheduler(), settings.limits().header());
    listeners = new Listeners(server, settings, slow);
    server.setErrorHandler(new Failures());
    server.addBean(slow);
    server.setStopTimeout(LAST_ANSWERS_MILLIS);
    drain = settings.limits().drain();
    RouteTable table = new RouteTable(routes(settings, parts, clients));
    Gate gate = new Gate(settings, parts.keys());
    graceful =
        new GracefulHandler(
            new RootHandler(
                table, gate, settings.limits(), Listeners.LOCAL, slow, waiting, parts.meters()));
    server.setHandler(graceful);
  }

  static List<Route> routes(ServerSettings settings, ServerParts parts, ClientWatch clients) {
    List<Route> routes = new ArrayList<>();
    routes.addAll(new SandboxRoutes(parts.sandboxes()).routes());
    routes.addAll(new RunRoutes(parts.sandboxes(), clients).routes());
    routes.addAll(new FileRoutes(parts.sandboxes()).routes());
    routes.addAll(new ContextRoutes(parts.sandboxes()).routes());
    routes.addAll(new KeyRoutes(parts.keys()).routes());
    routes.addAll(new PoolRoutes(parts.pools()).routes());
    routes.addAll(new ServerRoutes(settings, parts).routes());
    routes.addAll(new RpcRoutes(new RpcMethods(parts.sandboxes(), clients)).routes());
    return routes;
  }

  /// Begins to listen.
  ///
  /// @throws SandboxException `port_in_use`
  public void start() {
    clients.start();
    try {
      listeners.prepare();
      server.start();
      listeners.opened();
    } catch (Exception e) {
      close();
      for (Throwable t = e; t != null; t = t.getCause()) {
        if (t instanceof BindException) {
          throw new SandboxException(
              ErrorCode.PORT_IN_USE,
              "another program listens on " + listeners.address() + "; choose another --port");
        }
      }
      throw new IllegalStateException("the server does not start", e);
    }
  }

  /// The TCP port that it listens on.
  public int port() {
    return ((ServerConnector) server.getConnectors()[0]).getLocalPort();
  }

  /// Takes no more requests and waits until those under way are answered, for the drain time at
  /// most. What still runs then is answered when its sandbox ends, before [#close].
  public void drain() {
    for (Connector connector : server.getConnectors()) {
      var _ = connector.shutdown();
    }
    try {
      var _ = graceful.shutdown().get(drain.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException _) {
      LOG.log(System.Logger.Level.INFO, "requests are still under way after the drain time");
    }
  }

  /// Closes the listeners and cuts what is still under way.
  @Override
  public void close() {
    try {
      server.stop();
    } catch (TimeoutException _) {
      LOG.log(System.Logger.Level.WARNING, "requests under way were cut");
    } catch (Exception e) {
      LOG.log(System.Logger.Level.WARNING, "the listeners were not closed in order", e);
    } finally {
      clients.close();
      listeners.removed();
    }
  }
}
