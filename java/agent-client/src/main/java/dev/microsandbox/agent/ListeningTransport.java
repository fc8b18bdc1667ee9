package dev.microsandbox.agent;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A listening unix socket that one sandbox's agent dials.
///
/// One thread accepts for all of them. While nobody asks for a connection and none lives, dialling
/// agents wait in the kernel's short queue; while one lives, others are closed unread, at most ten
/// a second, so that a sandbox cannot keep the thread busy.
public final class ListeningTransport implements AgentTransport {
  private static final System.Logger LOG = System.getLogger(ListeningTransport.class.getName());
  private static final int BACKLOG = 8;
  private static final Duration PAUSE_AFTER_REJECTING = Duration.ofMillis(100);

  private final Path socket;
  private final ServerSocketChannel server;
  private final SelectorLoop loop;

  // Guarded by this.
  private @Nullable SelectionKey key;
  private @Nullable SocketChannel current;
  private @Nullable SocketChannel offered;
  private int waiting;
  private boolean pausing;
  private boolean closed;

  private ListeningTransport(Path socket, ServerSocketChannel server, SelectorLoop loop) {
    this.socket = socket;
    this.server = server;
    this.loop = loop;
  }

  /// Listens at this path, in place of whatever is there; only the server's own user can connect.
  ///
  /// @param socket at most 107 bytes long
  /// @throws IOException when the path is too long or cannot be made
  public static ListeningTransport bind(Path socket) throws IOException {
    return bind(socket, -1, -1);
  }

  /// Listens at this path, in place of whatever is there; the file belongs to this user and group
  /// from the moment it appears (a sandbox's mapped root, who is to dial), with mode 0600.
  public static ListeningTransport bind(Path socket, int uid, int gid) throws IOException {
    Path fresh = socket.resolveSibling(socket.getFileName() + "~");
    Files.deleteIfExists(fresh);
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      server.bind(UnixDomainSocketAddress.of(fresh), BACKLOG);
      Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rw-------"));
      if (uid >= 0) {
        Files.setAttribute(fresh, "unix:uid", uid);
        Files.setAttribute(fresh, "unix:gid", gid);
      }
      Files.move(fresh, socket, StandardCopyOption.ATOMIC_MOVE);
      server.configureBlocking(false);
    } catch (IOException | RuntimeException e) {
      server.close();
      Files.deleteIfExists(fresh);
      throw e;
    }
    ListeningTransport transport = new ListeningTransport(socket, server, Acceptor.LOOP);
    transport.loop.execute(transport::register);
    return transport;
  }

  /// Of all transports of this process; begun with the first.
  private static final class Acceptor {
    static final SelectorLoop LOOP = SelectorLoop.open("agent-acceptor");
  }

  @Override
  public SocketChannel next(Duration timeout) throws IOException {
    long deadline = System.nanoTime() + timeout.toNanos();
    synchronized (this) {
      waiting++;
      updateInterest();
      try {
        while (offered == null) {
          if (closed) {
            throw new ClosedChannelException();
          }
          await(deadline);
        }
        SocketChannel taken = offered;
        offered = null;
        current = taken;
        return taken;
      } finally {
        waiting--;
      }
    }
  }

  private void await(long deadline) throws IOException {
    long millis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
    if (millis <= 0) {
      throw new SocketTimeoutException("no agent has dialled in time");
    }
    try {
      wait(millis);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new java.io.InterruptedIOException("interrupted while waiting for an agent");
    }
  }

  @Override
  public byte[] secret() {
    return new byte[0]; // the directory of the socket is this sandbox's alone
  }

  /// Stops listening and removes the socket's file. A connection that was handed out lives on.
  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      notifyAll();
    }
    loop.execute(this::release);
    try {
      Files.deleteIfExists(socket);
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, "a listening socket's file was not removed", e);
    }
  }

  private synchronized void release() {
    try (server) {
      if (offered != null) {
        offered.close();
      }
    } catch (IOException e) {
      LOG.log(System.Logger.Level.DEBUG, "a listening socket was not closed cleanly", e);
    }
  }

  private synchronized void register() {
    try {
      if (!closed) {
        key = loop.register(server, 0, _ -> accept());
        updateInterest();
      }
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private synchronized void accept() throws IOException {
    if (closed) {
      return;
    }
    boolean lives = offered != null || (current != null && current.isOpen());
    if (lives) {
      SocketChannel rejected = server.accept();
      if (rejected != null) {
        rejected.close();
        pause();
      }
    } else if (waiting > 0) {
      offered = server.accept();
      notifyAll();
    }
    updateInterest();
  }

  private void pause() {
    pausing = true;
    var _ = loop.schedule(PAUSE_AFTER_REJECTING, this::resume);
  }

  private synchronized void resume() {
    pausing = false;
    updateInterest();
  }

  private synchronized void updateInterest() {
    if (key == null || !key.isValid()) {
      return;
    }
    boolean lives = offered != null || (current != null && current.isOpen());
    boolean wanted = !pausing && (lives || waiting > 0);
    int operations = wanted ? SelectionKey.OP_ACCEPT : 0;
    if (key.interestOps() != operations) {
      key.interestOps(operations);
      loop.execute(() -> {}); // the selector sees the change at its next round
    }
  }
}
