package dev.microsandbox.egress;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;

/// A CONNECT request to the host's proxy, and its answer.
final class ProxyGreeting {
  private static final int MAX_ANSWER = 8 * 1024;

  private final String request;
  private final ByteBuffer answer = ByteBuffer.allocate(MAX_ANSWER);
  private ByteBuffer rest = ByteBuffer.allocate(0);

  enum State {
    UNFINISHED,
    CONNECTED,
    REFUSED
  }

  ProxyGreeting(String host, int port, String authorization) {
    String where = (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + port;
    String authorized =
        authorization.isEmpty() ? "" : "Proxy-Authorization: " + authorization + "\r\n";
    this.request =
        "CONNECT " + where + " HTTP/1.1\r\nHost: " + where + "\r\n" + authorized + "\r\n";
  }

  void send(SocketChannel proxy) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(request.getBytes(StandardCharsets.ISO_8859_1));
    proxy.write(bytes);
    if (bytes.hasRemaining()) {
      throw new IOException("the proxy takes nothing"); // a fresh socket takes some hundred bytes
    }
  }

  State read(SocketChannel proxy) throws IOException {
    if (proxy.read(answer) < 0 || !answer.hasRemaining()) {
      return State.REFUSED;
    }
    String text = new String(answer.array(), 0, answer.position(), StandardCharsets.ISO_8859_1);
    int end = text.indexOf("\r\n\r\n");
    if (end < 0) {
      return State.UNFINISHED;
    }
    rest = ByteBuffer.wrap(answer.array(), end + 4, answer.position() - end - 4);
    return text.matches("(?s)HTTP/1\\.[01] 2\\d\\d[ \r].*") ? State.CONNECTED : State.REFUSED;
  }

  /// What has come after the proxy's answer, from the server itself.
  ByteBuffer rest() {
    return rest;
  }
}
