package dev.microsandbox.server;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.ConnectionMetaData;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.component.AbstractLifeCycle;
import org.eclipse.jetty.util.thread.Scheduler;

/// Closes connections whose request's line and headers take too long to arrive.
///
/// An idle timeout does not: it begins anew with each byte, so that one byte every few seconds
/// holds a connection for ever.
final class SlowClients extends AbstractLifeCycle implements Connection.Listener {
  private static final long PERIOD_MILLIS = 1000;
  private static final byte[] ANSWER =
      ("HTTP/1.1 408 Request Timeout\r\nContent-Type: application/json\r\nConnection: close\r\n"
              + "Content-Length: %d\r\n\r\n%s")
          .formatted(body().length(), body())
          .getBytes(StandardCharsets.US_ASCII);

  private final Scheduler scheduler;
  private final long limitNanos;
  private final Map<Connection, Progress> connections = new ConcurrentHashMap<>();

  SlowClients(Scheduler scheduler, Duration limit) {
    this.scheduler = scheduler;
    this.limitNanos = limit.toNanos();
  }

  private static String body() {
    return "{\"error\":{\"code\":\"request_timeout\",\"message\":\"the request did not arrive in time\","
        + "\"details\":{}}}";
  }

  /// What a connection had sent when its last request was done.
  private static final class Progress {
    private volatile boolean busy;
    private volatile long bytes;
    private long waitingSince;
  }

  /// A request's headers are there; how long its body may take is the reader's affair.
  void begin(Connection connection) {
    Progress progress = connections.get(connection);
    if (progress != null) {
      progress.busy = true;
    }
  }

  void end(Connection connection) {
    Progress progress = connections.get(connection);
    if (progress != null) {
      progress.bytes = connection.getBytesIn();
      progress.busy = false;
    }
  }

  @Override
  protected void doStart() {
    scheduler.schedule(this::look, PERIOD_MILLIS, TimeUnit.MILLISECONDS);
  }

  @Override
  public void onOpened(Connection connection) {
    if (connection instanceof ConnectionMetaData) {
      connections.put(connection, new Progress());
    }
  }

  @Override
  public void onClosed(Connection connection) {
    connections.remove(connection);
  }

  private void look() {
    long now = System.nanoTime();
    connections.forEach((connection, progress) -> look(connection, progress, now));
    if (isRunning()) {
      scheduler.schedule(this::look, PERIOD_MILLIS, TimeUnit.MILLISECONDS);
    }
  }

  private void look(Connection connection, Progress progress, long now) {
    if (progress.busy || connection.getBytesIn() == progress.bytes) {
      progress.waitingSince = 0;
    } else if (progress.waitingSince == 0) {
      progress.waitingSince = now;
    } else if (now - progress.waitingSince > limitNanos) {
      refuse(connection.getEndPoint());
    }
  }

  private static void refuse(EndPoint endPoint) {
    endPoint.write(Callback.from(endPoint::close, _ -> endPoint.close()), ByteBuffer.wrap(ANSWER));
  }
}
