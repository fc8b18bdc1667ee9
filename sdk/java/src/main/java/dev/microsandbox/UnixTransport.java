package dev.microsandbox;

import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.ConcurrentLinkedDeque;
import org.jspecify.annotations.Nullable;

/// HTTP/1.1 over the local server's unix socket, with kept connections.
///
/// The JDK's own client cannot do unix sockets, and loading it costs a command line hundreds of
/// milliseconds.
final class UnixTransport implements Transport {
  private final Path socket;
  private final ConcurrentLinkedDeque<Connection> idle = new ConcurrentLinkedDeque<>();

  UnixTransport(Path socket) {
    this.socket = socket;
  }

  @Override
  public Response send(Request request) throws IOException {
    Connection connection = take();
    try {
      connection.write(request);
      HttpReader.Head head = connection.reader.readHead();
      InputStream body = connection.reader.body(head);
      return new Response(head.status(), new Body(body, connection, head.keepAlive()));
    } catch (IOException | RuntimeException e) {
      connection.close();
      throw e;
    }
  }

  @Override
  public void close() {
    for (Connection c = idle.pollFirst(); c != null; c = idle.pollFirst()) {
      c.close();
    }
  }

  private Connection take() throws IOException {
    for (Connection c = idle.pollFirst(); c != null; c = idle.pollFirst()) {
      if (c.isStillOpen()) {
        return c;
      }
      c.close();
    }
    return new Connection(socket);
  }

  private static final class Connection {
    private final SocketChannel channel;
    private final HttpReader reader;

    Connection(Path socket) throws IOException {
      channel = SocketChannel.open(StandardProtocolFamily.UNIX);
      try {
        channel.connect(UnixDomainSocketAddress.of(socket));
      } catch (IOException e) {
        channel.close();
        throw e;
      }
      reader = new HttpReader(new BufferedInputStream(Channels.newInputStream(channel)));
    }

    /// An idle connection has nothing to read but its end. A request is never sent twice: it may
    /// have had its effect.
    boolean isStillOpen() {
      try {
        channel.configureBlocking(false);
        boolean open = channel.read(ByteBuffer.allocate(1)) == 0;
        channel.configureBlocking(true);
        return open;
      } catch (IOException _) {
        return false;
      }
    }

    void write(Request request) throws IOException {
      byte[] body = request.body();
      StringBuilder head =
          new StringBuilder(256)
              .append(request.method())
              .append(' ')
              .append(request.path())
              .append(" HTTP/1.1\r\nHost: localhost\r\nAccept: ")
              .append(request.accept())
              .append("\r\n");
      if (request.contentType() != null) {
        head.append("Content-Type: ").append(request.contentType()).append("\r\n");
      }
      if (body != null) {
        head.append("Content-Length: ").append(body.length).append("\r\n");
      }
      ByteBuffer[] parts = {
        ByteBuffer.wrap(head.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1)),
        ByteBuffer.wrap(body == null ? new byte[0] : body)
      };
      while (parts[0].hasRemaining() || parts[1].hasRemaining()) {
        channel.write(parts);
      }
    }

    void close() {
      try {
        channel.close();
      } catch (IOException _) {
        // nothing more can be done for it
      }
    }
  }

  /// Gives the connection back at the body's end; closed earlier, the connection is of no more use.
  private final class Body extends FilterInputStream {
    private @Nullable Connection connection;
    private final boolean keep;

    Body(InputStream body, Connection connection, boolean keep) {
      super(body);
      this.connection = connection;
      this.keep = keep;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      if (connection == null) {
        return -1;
      }
      int read = in.read(target, offset, length);
      if (read < 0) {
        release(keep);
      }
      return read;
    }

    @Override
    public void close() {
      release(false);
    }

    private void release(boolean reusable) {
      Connection held = connection;
      connection = null;
      if (held == null) {
        return;
      }
      if (reusable) {
        idle.addFirst(held);
      } else {
        held.close();
      }
    }
  }
}
