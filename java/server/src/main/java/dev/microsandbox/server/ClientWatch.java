package dev.microsandbox.server;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.util.BufferUtil;

/// Notices clients that go away while their request is being served.
///
/// HTTP/1.1 reads nothing between the end of a request and its answer, so nothing is seen of a
/// client's end. One thread therefore looks at the connections whose requests are waiting, every 50
/// ms, by reading without waiting: what it may find is the end, or, from a client that pipelines,
/// the next request, which is handed back.
final class ClientWatch implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(ClientWatch.class.getName());
  private static final long PAUSE_NANOS = 50_000_000;
  private static final int PEEK = 512;

  private final Set<Watched> watched = ConcurrentHashMap.newKeySet();
  private final Thread thread =
      Thread.ofPlatform().daemon().name("client-watch").unstarted(this::look);
  private volatile boolean closed;

  void start() {
    thread.start();
  }

  /// Begins to watch; the request's body must have been read to its end.
  ///
  /// @param onGone called once, when the client has gone, by the watching thread; must not wait
  Watched watch(Request request, Runnable onGone) {
    Connection connection = request.getConnectionMetaData().getConnection();
    Watched one = new Watched(connection, onGone);
    watched.add(one);
    return one;
  }

  private void look() {
    while (!closed) {
      LockSupport.parkNanos(PAUSE_NANOS);
      for (Watched one : watched) {
        one.look();
      }
    }
  }

  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
  }

  /// A client being watched, until this is closed.
  final class Watched implements AutoCloseable {
    private final Connection connection;
    private final Runnable onGone;
    private boolean over;
    private volatile boolean gone;

    private Watched(Connection connection, Runnable onGone) {
      this.connection = connection;
      this.onGone = onGone;
    }

    boolean gone() {
      return gone;
    }

    /// Tells of the end without the lock, which the end of the run asks for, too.
    private void look() {
      if (hasLeft()) {
        gone = true;
        try {
          onGone.run();
        } catch (RuntimeException e) {
          LOG.log(System.Logger.Level.WARNING, "a run could not be given up", e);
        }
      }
    }

    private synchronized boolean hasLeft() {
      if (over) {
        return false;
      }
      EndPoint endPoint = connection.getEndPoint();
      ByteBuffer buffer = BufferUtil.allocate(PEEK);
      try {
        int read = endPoint.fill(buffer);
        if (read > 0) {
          handBack(buffer);
        }
        return read < 0 && end();
      } catch (IOException _) {
        return end();
      } catch (RuntimeException e) {
        // Such as a client that has sent more behind its request than can be handed back.
        LOG.log(System.Logger.Level.DEBUG, "a connection that was watched is closed", e);
        endPoint.close();
        return end();
      }
    }

    private boolean end() {
      over = true;
      watched.remove(this);
      return true;
    }

    private void handBack(ByteBuffer buffer) {
      end();
      if (connection instanceof Connection.UpgradeTo next) {
        next.onUpgradeTo(buffer);
      }
    }

    /// Ends the watch; from now on the connection is the server's again.
    @Override
    public synchronized void close() {
      end();
    }
  }
}
