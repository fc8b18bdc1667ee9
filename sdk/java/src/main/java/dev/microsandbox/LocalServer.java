package dev.microsandbox;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The server of this machine, for clients that named none: its unix socket, which needs no key, or
/// its TCP address.
public final class LocalServer {
  private static final int PROBE_MILLIS = 1_000;

  /// Many sandboxes may be created at once, but one server is started.
  private static final ReentrantLock STARTING = new ReentrantLock();

  private LocalServer() {}

  /// Starts the local server and returns when it answers.
  @FunctionalInterface
  public interface Starter {
    void start();
  }

  /// The address at which it answers; started before where it does not.
  ///
  /// @param apiKey for the TCP address
  /// @throws SandboxException `server_unreachable` where it could not be started
  public static ServerAddress findOrStart(@Nullable String apiKey, Starter starter) {
    ServerAddress found = find(apiKey);
    if (found != null) {
      return found;
    }
    STARTING.lock();
    try {
      found = find(apiKey);
      if (found == null) {
        starter.start();
        found = find(apiKey);
      }
    } finally {
      STARTING.unlock();
    }
    if (found == null) {
      throw new SandboxException(
          ErrorCode.SERVER_UNREACHABLE,
          "the local server was started but does not answer; see: msb server status");
    }
    return found;
  }

  /// The same, started by the `msb` command.
  static ServerAddress findOrStart(@Nullable String apiKey) {
    return findOrStart(apiKey, new MsbStarter(System.getenv())::start);
  }

  /// The address at which it answers; null where it does not.
  ///
  /// @param apiKey for the TCP address
  public static @Nullable ServerAddress find(@Nullable String apiKey) {
    if (answers(ServerAddress.DEFAULT_SOCKET)) {
      return new ServerAddress(ServerAddress.DEFAULT_SOCKET, ServerAddress.DEFAULT_URI, apiKey);
    }
    return answers(ServerAddress.DEFAULT_URI.getHost(), ServerAddress.DEFAULT_URI.getPort())
        ? new ServerAddress(null, ServerAddress.DEFAULT_URI, apiKey)
        : null;
  }

  /// Whether something accepts connections there, and this user may connect.
  private static boolean answers(Path socket) {
    try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      return probe.connect(UnixDomainSocketAddress.of(socket));
    } catch (IOException noneThere) {
      return false;
    }
  }

  private static boolean answers(String host, int port) {
    try (Socket probe = new Socket()) {
      probe.connect(new InetSocketAddress(host, port), PROBE_MILLIS);
      return true;
    } catch (IOException noneThere) {
      return false;
    }
  }
}
