package dev.microsandbox.server;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import jdk.net.ExtendedSocketOptions;
import org.eclipse.jetty.server.Request;

/// Who is at the other end of the unix socket, by the kernel's word (SO_PEERCRED).
final class Peer {
  private Peer() {}

  /// The user's name, for the log.
  static String of(Request request) {
    Object transport = request.getConnectionMetaData().getConnection().getEndPoint().getTransport();
    try {
      return transport instanceof SocketChannel channel
          ? channel.getOption(ExtendedSocketOptions.SO_PEERCRED).user().getName()
          : "unknown";
    } catch (IOException | UnsupportedOperationException _) {
      return "unknown";
    }
  }
}
