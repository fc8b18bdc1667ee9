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
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// HTTP/1.1 over the local server's unix socket, with kept connections.
///
/// The JDK's own client cannot do unix sockets, and loading it costs a command line hundreds of
/// milliseconds.
final class UnixTransport implements Transport {
  private static final int MAXIMUM_IDLE = 16;
  private static final int SLICE = 256 * 1024;
  private static final byte[] NOTHING = new byte[0];
  private static final Map<Path, UnixTransport> ALL = new ConcurrentHashMap<>();

  private final Path socket;
  private final ConcurrentLinkedDeque<Connection> idle = new ConcurrentLinkedDeque<>();
  private final AtomicInteger idleCount = new AtomicInteger();

  UnixTransport(Path socket) {
    this.socket = socket;
  }

  /// The one of all sandboxes of this program, so that each finds the connections of the others.
  static UnixTransport to(Path socket) {
    return ALL.computeIfAbsent(socket, UnixTransport::new);
  }

  @Override
  public Response send(Request request) throws IOException {
    Connection connection = take();
    try {
      connection.silence.atMost(request.timeout());
      HttpReader.Head head = connection.exchange(request);
      InputStream body = connection.reader.body(head);
      connection.silence.atMost(Silence.LIMIT);
      return new Response(head.status(), new Body(body, connection, head.keepAlive()));
    } catch (IOException e) {
      connection.close();
      throw connection.silence.reason(e);
    } catch (RuntimeException e) {
      connection.close();
      throw e;
    }
  }

  private Connection take() throws IOException {
    for (Connection c = idle.pollFirst(); c != null; c = idle.pollFirst()) {
      idleCount.decrementAndGet();
      if (c.isStillOpen()) {
        return c;
      }
      c.close();
    }
    return new Connection(socket);
  }

  private void keep(Connection connection) {
    connection.silence.rest();
    if (idleCount.incrementAndGet() > MAXIMUM_IDLE) {
      idleCount.decrementAndGet();
      connection.close();
    } else {
      idle.addFirst(connection);
    }
  }

  private static final class Connection {
    private final SocketChannel channel;
    private final HttpReader reader;
    private final Silence silence = new Silence(this::close);

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
      } catch (IOException unusable) {
        return false;
      }
    }

    /// Sends a request and waits for its answer's head. A server that takes no more of a body may
    /// have said why.
    HttpReader.Head exchange(Request request) throws IOException {
      try {
        write(request);
      } catch (IOException broken) {
        try {
          return reader.readHead();
        } catch (IOException nothing) {
          broken.addSuppressed(nothing);
          throw broken;
        }
      }
      return reader.readHead();
    }

    private void write(Request request) throws IOException {
      byte[] body = request.body();
      InputStream content = request.content();
      StringBuilder head =
          new StringBuilder(256)
              .append(request.method())
              .append(' ')
              .append(request.path())
              .append(" HTTP/1.1\r\nHost: localhost\r\n");
      request
          .headers()
          .forEach((name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
      if (content != null) {
        head.append("Transfer-Encoding: chunked\r\n");
      } else if (body != null) {
        head.append("Content-Length: ").append(body.length).append("\r\n");
      }
      ByteBuffer first = ascii(head.append("\r\n"));
      if (content != null) {
        write(first);
        writeChunks(content);
      } else {
        writeWhole(first, body == null ? NOTHING : body, request.timeout());
      }
    }

    /// In slices, for the channel copies each to memory outside of the heap. The time limit begins
    /// anew with each.
    private void writeWhole(ByteBuffer head, byte[] body, @Nullable Duration limit)
        throws IOException {
      int at = 0;
      do {
        int length = Math.min(SLICE, body.length - at);
        write(head, ByteBuffer.wrap(body, at, length));
        at += length;
        silence.atMost(limit);
      } while (at < body.length);
    }

    private void writeChunks(InputStream content) throws IOException {
      byte[] slice = new byte[SLICE];
      for (int read = content.read(slice); read >= 0; read = content.read(slice)) {
        if (read > 0) {
          ByteBuffer size = ascii(Integer.toHexString(read) + "\r\n");
          write(size, ByteBuffer.wrap(slice, 0, read), ascii("\r\n"));
        }
      }
      write(ascii("0\r\n\r\n"));
    }

    private void write(ByteBuffer... parts) throws IOException {
      while (parts[0].hasRemaining() || parts[parts.length - 1].hasRemaining()) {
        channel.write(parts);
      }
    }

    private static ByteBuffer ascii(CharSequence text) {
      return ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.ISO_8859_1));
    }

    void close() {
      try {
        channel.close();
      } catch (IOException unusable) {
        // nothing more can be done for it
      }
    }
  }

  /// Gives the connection back at the body's end; closed earlier, the connection is of no more use.
  private final class Body extends FilterInputStream {
    private volatile @Nullable Connection connection;
    private final boolean reusable;

    Body(InputStream body, Connection connection, boolean reusable) {
      super(body);
      this.connection = connection;
      this.reusable = reusable;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      Connection held = connection;
      if (held == null) {
        return -1;
      }
      held.silence.atMost(Silence.LIMIT);
      int read;
      try {
        read = in.read(target, offset, length);
      } catch (IOException e) {
        release(false);
        throw held.silence.reason(e);
      }
      if (read < 0) {
        release(reusable);
      }
      return read;
    }

    @Override
    public void close() {
      release(false);
    }

    private void release(boolean whole) {
      Connection held = connection;
      connection = null;
      if (held == null) {
        return;
      }
      if (whole) {
        keep(held);
      } else {
        held.close();
      }
    }
  }
}
