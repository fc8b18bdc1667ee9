package dev.microsandbox.egress;

import dev.microsandbox.agent.OutboundStream;
import dev.microsandbox.agent.OutboundStream.Refusal;
import dev.microsandbox.agent.SelectorLoop;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.SocketException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// One outbound connection: the server's socket at one end, the sandbox's stream at the other.
///
/// Belongs to one loop. The thread that reads the channel hands bytes straight to the socket, under
/// the connection's lock; all else happens on the loop's thread.
final class Connection implements OutboundStream.Receiver {
  private static final Duration TO_CONNECT = Duration.ofSeconds(10);
  private static final int FIRST_WINDOW = 4 * 1024;
  private static final int LARGEST_WINDOW = 256 * 1024;
  private static final int READ_AT_ONCE = 128 * 1024;

  /// What the sandbox wanted.
  record Target(InetAddress address, int port, List<String> names) {}

  /// Whoever counts connections. Each method is called once.
  interface Watcher {
    void dialled();

    void ended(Connection connection, ConnectionRecord record);
  }

  private final SelectorLoop loop;
  private final OutboundStream stream;
  private final Target target;
  private final Watcher watcher;
  private final long begun = System.nanoTime();

  // Guarded by this.
  private final ArrayDeque<ByteBuffer> toServer = new ArrayDeque<>();
  private @Nullable SocketChannel socket;
  private @Nullable SelectionKey key;
  private boolean sandboxHasEnded;
  private boolean closed;
  private long sent;
  private int window = FIRST_WINDOW;
  private int takenSinceGrowth;

  // Of the loop's thread.
  private SelectorLoop.@Nullable Cancellable timer;
  private @Nullable ProxyGreeting greeting;
  private @Nullable ByteBuffer toSandbox;
  private boolean serverHasEnded;
  private boolean dialling = true;
  private boolean stands;
  private long received;

  Connection(SelectorLoop loop, OutboundStream stream, Target target, Watcher watcher) {
    this.loop = loop;
    this.stream = stream;
    this.target = target;
    this.watcher = watcher;
  }

  // ---- dialling

  void deny(String reason) {
    stream.refuse(Refusal.DENIED);
    finish(ConnectionRecord.Verdict.DENIED, reason);
  }

  void fail(Refusal refusal, String reason) {
    stream.refuse(refusal);
    finish(ConnectionRecord.Verdict.FAILED, reason);
  }

  void dialThroughProxy(InetSocketAddress proxy, String authorization, String host, int port) {
    greeting = new ProxyGreeting(host, port, authorization);
    dial(proxy);
  }

  void dial(InetSocketAddress to) {
    try {
      SocketChannel opened = open();
      if (opened == null) {
        return; // given up while its name was looked up
      }
      opened.configureBlocking(false);
      opened.setOption(StandardSocketOptions.TCP_NODELAY, true);
      opened.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
      timer = loop.schedule(TO_CONNECT, () -> fail(Refusal.TIMED_OUT, "no answer in time"));
      boolean connected = opened.connect(to);
      int interest = connected ? SelectionKey.OP_READ : SelectionKey.OP_CONNECT;
      SelectionKey registered = loop.register(opened, interest, this::ready);
      synchronized (this) {
        key = registered;
      }
      if (connected) {
        connected();
      }
    } catch (IOException e) {
      failed(e);
    }
  }

  private synchronized @Nullable SocketChannel open() throws IOException {
    if (!closed) {
      socket = SocketChannel.open();
    }
    return socket;
  }

  private void failed(IOException e) {
    String message = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
    if (message.contains("too many open files")) {
      fail(Refusal.LIMIT, "the host has too many files open");
    } else if (message.contains("timed out")) {
      fail(Refusal.TIMED_OUT, "no answer in time");
    } else if (e instanceof NoRouteToHostException
        || message.contains("unreachable")
        || (e instanceof SocketException && !(e instanceof ConnectException))) {
      fail(Refusal.UNREACHABLE, "no way there");
    } else {
      fail(Refusal.REFUSED, "refused by the other end");
    }
  }

  private void connected() throws IOException {
    if (greeting == null) {
      stand();
    } else {
      greeting.send(socket());
      interest(SelectionKey.OP_READ, SelectionKey.OP_CONNECT);
    }
  }

  private void stand() {
    dialled();
    stands = true;
    interest(SelectionKey.OP_READ, SelectionKey.OP_CONNECT);
    stream.accept(this, FIRST_WINDOW);
  }

  private void dialled() {
    if (timer != null) {
      timer.cancel();
    }
    if (dialling) {
      dialling = false;
      watcher.dialled();
    }
  }

  // ---- the server's end, on the loop's thread

  private void ready(SelectionKey ready) {
    try {
      if (ready.isConnectable()) {
        socket().finishConnect();
        connected();
      } else if (!stands) {
        greet();
      } else {
        if (ready.isWritable()) {
          writeQueued();
        }
        if (ready.isValid() && ready.isReadable()) {
          read();
        }
      }
    } catch (IOException e) {
      if (stands) {
        broken();
      } else {
        failed(e);
      }
    }
  }

  private void greet() throws IOException {
    ProxyGreeting expected = greeting;
    if (expected == null) {
      return;
    }
    switch (expected.read(socket())) {
      case UNFINISHED -> {}
      case CONNECTED -> {
        stand();
        if (expected.rest().hasRemaining()) {
          received += expected.rest().remaining();
          toSandbox(expected.rest());
        }
      }
      case REFUSED -> fail(Refusal.REFUSED, "refused by the host's proxy");
    }
  }

  private void read() throws IOException {
    ByteBuffer bytes = loop.scratch().limit(READ_AT_ONCE);
    int count = socket().read(bytes);
    if (count < 0) {
      serverHasEnded = true;
      interest(0, SelectionKey.OP_READ);
      stream.end();
      closeIfBothEnded();
      return;
    }
    received += count;
    toSandbox(bytes.flip());
  }

  /// Hands bytes to the sandbox; what it has no room for is kept, and nothing more is read.
  private void toSandbox(ByteBuffer bytes) {
    stream.write(bytes);
    if (bytes.hasRemaining()) {
      toSandbox = ByteBuffer.allocate(bytes.remaining()).put(bytes).flip();
      interest(0, SelectionKey.OP_READ);
    }
  }

  private void writeRest() {
    ByteBuffer rest = toSandbox;
    if (rest == null || isClosed()) {
      return;
    }
    stream.write(rest);
    if (!rest.hasRemaining()) {
      toSandbox = null;
      interest(SelectionKey.OP_READ, 0);
    }
  }

  private void writeQueued() throws IOException {
    synchronized (this) {
      int count = 0;
      for (ByteBuffer next = toServer.peek(); next != null; next = toServer.peek()) {
        count += socket().write(next);
        if (next.hasRemaining()) {
          break;
        }
        toServer.remove();
      }
      taken(count);
      if (toServer.isEmpty()) {
        interest(0, SelectionKey.OP_WRITE);
        endIfSandboxHas();
      }
    }
    closeIfBothEnded();
  }

  // ---- the sandbox's end, on the thread that reads the channel

  @Override
  public void onData(ByteBuffer bytes) {
    synchronized (this) {
      if (closed) {
        return;
      }
      try {
        if (toServer.isEmpty()) {
          taken(socket().write(bytes));
        }
      } catch (IOException _) {
        loop.execute(this::broken);
        return;
      }
      if (bytes.hasRemaining()) {
        toServer.add(ByteBuffer.allocate(bytes.remaining()).put(bytes).flip());
        interest(SelectionKey.OP_WRITE, 0);
      }
    }
  }

  @Override
  public void onEnd() {
    synchronized (this) {
      sandboxHasEnded = true;
      try {
        endIfSandboxHas();
      } catch (IOException _) {
        loop.execute(this::broken);
      }
    }
    loop.execute(this::closeIfBothEnded);
  }

  @Override
  public void onReset() {
    loop.execute(this::abort);
  }

  @Override
  public void onWritable() {
    loop.execute(this::writeRest);
  }

  /// Ends the connection at both ends.
  void cut() {
    loop.execute(() -> {
      if (stands) {
        stream.reset();
      } else {
        stream.refuse(Refusal.DENIED);
      }
      abort();
    });
  }

  // ---- both

  /// Grants anew what the server has taken; a sandbox that fills its window gets a larger one.
  private void taken(int count) {
    if (count <= 0) {
      return;
    }
    sent += count;
    takenSinceGrowth += count;
    int growth = 0;
    if (takenSinceGrowth >= window && window < LARGEST_WINDOW) {
      growth = window;
      window *= 2;
      takenSinceGrowth = 0;
    }
    stream.grant(count + growth);
  }

  private void endIfSandboxHas() throws IOException {
    if (sandboxHasEnded && toServer.isEmpty() && !closed) {
      socket().shutdownOutput();
    }
  }

  private void closeIfBothEnded() {
    boolean both;
    synchronized (this) {
      both = serverHasEnded && sandboxHasEnded && toServer.isEmpty();
    }
    if (both) {
      finish(ConnectionRecord.Verdict.CARRIED, "");
    }
  }

  private void broken() {
    stream.reset();
    abort();
  }

  /// Closes the socket so that the server sees a reset.
  private void abort() {
    SocketChannel open;
    synchronized (this) {
      open = socket;
    }
    if (open != null && open.isOpen()) {
      try {
        open.setOption(StandardSocketOptions.SO_LINGER, 0);
      } catch (IOException _) {
        // then it is closed in the ordinary way
      }
    }
    finish(
        stands ? ConnectionRecord.Verdict.CARRIED : ConnectionRecord.Verdict.FAILED,
        stands ? "" : "given up");
  }

  private void finish(ConnectionRecord.Verdict verdict, String reason) {
    long total;
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      toServer.clear();
      total = sent;
      closeSocket();
    }
    toSandbox = null;
    dialled();
    watcher.ended(
        this,
        new ConnectionRecord(
            verdict,
            target.address,
            target.port,
            target.names,
            total,
            received,
            Duration.ofNanos(System.nanoTime() - begun),
            reason));
  }

  private void closeSocket() {
    if (socket != null) {
      try {
        socket.close();
      } catch (IOException e) {
        System.getLogger(Connection.class.getName())
            .log(System.Logger.Level.DEBUG, "a connection was not closed cleanly", e);
      }
    }
  }

  private synchronized boolean isClosed() {
    return closed;
  }

  private synchronized SocketChannel socket() throws IOException {
    if (socket == null) {
      throw new IOException("not dialled");
    }
    return socket;
  }

  private synchronized void interest(int add, int remove) {
    SelectionKey watched = key;
    if (watched == null || !watched.isValid()) {
      return;
    }
    int wanted = (watched.interestOps() | add) & ~remove;
    if (watched.interestOps() != wanted) {
      watched.interestOps(wanted);
      loop.execute(() -> {}); // the selector sees the change at its next round
    }
  }
}
