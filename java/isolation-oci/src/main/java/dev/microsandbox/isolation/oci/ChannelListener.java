package dev.microsandbox.isolation.oci;

import dev.microsandbox.agent.AgentTransport;
import dev.microsandbox.isolation.IdRange;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Waits for one sandbox's agent on a unix socket in a folder of its own.
///
/// The folder belongs to the sandbox's root and to nobody else, so that whoever comes is root in
/// this very sandbox; no secret is needed. One virtual thread accepts, at a limited rate.
final class ChannelListener implements AgentTransport {
  /// Between two connections: what root inside can cost us by dialling for ever.
  private static final Duration PAUSE = Duration.ofMillis(50);

  /// How soon who waits learns that the listener has been closed.
  private static final Duration SLICE = Duration.ofMillis(200);

  private static final int BACKLOG = 4;

  private final ServerSocketChannel server;
  private final SynchronousQueue<SocketChannel> waiting = new SynchronousQueue<>();
  private volatile @Nullable SocketChannel current;

  private ChannelListener(ServerSocketChannel server) {
    this.server = server;
  }

  /// Makes the folder and listens in it. A socket that an earlier server left there is replaced.
  static ChannelListener open(Path folder, IdRange ids) throws IOException {
    Files.createDirectories(folder);
    Path socket = folder.resolve(Bundle.SOCKET);
    Files.deleteIfExists(socket);
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      server.bind(UnixDomainSocketAddress.of(socket), BACKLOG);
      hand(socket, ids, "rw-------");
      hand(folder, ids, "rwx------");
    } catch (IOException | RuntimeException e) {
      server.close();
      throw e;
    }
    ChannelListener listener = new ChannelListener(server);
    Thread.ofVirtual().name("channel-", 0).start(listener::accept);
    return listener;
  }

  private static void hand(Path path, IdRange ids, String permissions) throws IOException {
    Files.setAttribute(path, "unix:uid", ids.start());
    Files.setAttribute(path, "unix:gid", ids.start());
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
  }

  private void accept() {
    try {
      while (true) {
        SocketChannel arrived = server.accept();
        SocketChannel held = current;
        if (held != null && held.isOpen()) {
          arrived.close();
        } else {
          current = arrived;
          offer(arrived);
        }
        Thread.sleep(PAUSE);
      }
    } catch (ClosedChannelException e) {
      return; // the listener's own end
    } catch (IOException | InterruptedException e) {
      System.getLogger(ChannelListener.class.getName())
          .log(System.Logger.Level.WARNING, "no longer waiting for an agent", e);
      close();
    }
  }

  /// Waits for somebody who asks, for as long as this listener is open.
  private void offer(SocketChannel arrived) throws InterruptedException, IOException {
    while (server.isOpen()) {
      if (waiting.offer(arrived, 1, TimeUnit.SECONDS)) {
        return;
      }
    }
    arrived.close();
  }

  @Override
  public SocketChannel next(Duration timeout) throws IOException {
    long end = System.nanoTime() + timeout.toNanos();
    try {
      long left;
      while (server.isOpen() && (left = end - System.nanoTime()) > 0) {
        SocketChannel channel = waiting.poll(Math.min(left, SLICE.toNanos()), TimeUnit.NANOSECONDS);
        if (channel != null) {
          return channel;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while waiting for an agent", e);
    }
    if (!server.isOpen()) {
      throw new ClosedChannelException();
    }
    throw new SocketTimeoutException("no agent has dialled");
  }

  /// Empty: the folder proves who is there.
  @Override
  public byte[] secret() {
    return new byte[0];
  }

  @Override
  public void close() {
    try {
      server.close();
    } catch (IOException e) {
      System.getLogger(ChannelListener.class.getName())
          .log(System.Logger.Level.DEBUG, "closing a channel's socket", e);
    }
  }
}
