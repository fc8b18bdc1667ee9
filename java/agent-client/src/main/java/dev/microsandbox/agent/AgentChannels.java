package dev.microsandbox.agent;

import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxId;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/// All channels of a server: owns the few threads that read them. Opened once.
public final class AgentChannels implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(AgentChannels.class.getName());
  private static final int LOOPS = 2;

  private final List<SelectorLoop> loops;
  private final AtomicInteger turn = new AtomicInteger();
  private final Set<Connecting> alive = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  private AgentChannels(List<SelectorLoop> loops) {
    this.loops = loops;
  }

  /// Starts the threads.
  public static AgentChannels open() {
    return new AgentChannels(
        IntStream.range(0, LOOPS).mapToObj(i -> SelectorLoop.open("agent-channels-" + i)).toList());
  }

  /// Waits for the agent's next connection and sees it through its hello. A connection that breaks
  /// before that is dropped, and the next is awaited while there is time.
  ///
  /// The listener and the handler may be called before this returns.
  ///
  /// @throws SandboxException `agent_lost` when no agent came in time, or one that broke a rule or
  ///   is not the one expected
  public AgentClient connect(
      SandboxId sandbox,
      AgentTransport transport,
      Duration timeout,
      SandboxListener listener,
      OutboundHandler outbound) {
    long deadline = System.nanoTime() + timeout.toNanos();
    Connecting.Expected expected =
        new Connecting.Expected(sandbox, transport.secret(), listener, outbound);
    while (true) {
      SocketChannel socket = next(transport, Duration.ofNanos(deadline - System.nanoTime()));
      Connecting connecting = start(socket, expected);
      try {
        return connecting.connected().get();
      } catch (InterruptedException e) {
        connecting.end(new ChannelEnd(ChannelEnd.Cause.CLOSED, "interrupted"));
        Thread.currentThread().interrupt();
        throw lost("interrupted while an agent said hello", e);
      } catch (ExecutionException e) {
        ChannelEnd end = endOf(connecting);
        LOG.log(
            System.Logger.Level.DEBUG,
            "no hello from the agent of {0}: {1} {2}",
            sandbox,
            end.cause(),
            end.detail());
        if (end.cause() == ChannelEnd.Cause.RULE_BROKEN) {
          throw lost("the sandbox's agent broke its protocol: " + end.detail(), e);
        }
      }
    }
  }

  /// Ends all connections (the sandboxes live on) and the threads.
  @Override
  public void close() {
    closed = true;
    ChannelEnd reason = new ChannelEnd(ChannelEnd.Cause.CLOSED, "the server closes its channels");
    List<Connecting> all = List.copyOf(alive);
    all.forEach(connecting -> connecting.end(reason));
    CompletableFuture<?>[] ends =
        all.stream().map(Connecting::ended).toArray(CompletableFuture<?>[]::new);
    try {
      CompletableFuture.allOf(ends).get(5, TimeUnit.SECONDS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      LOG.log(System.Logger.Level.WARNING, "some channels did not end in time", e);
    }
    loops.forEach(SelectorLoop::close);
  }

  private Connecting start(SocketChannel socket, Connecting.Expected expected) {
    SelectorLoop loop = loops.get(Math.floorMod(turn.getAndIncrement(), loops.size()));
    Connecting connecting = new Connecting(loop, socket, expected);
    alive.add(connecting);
    var _ = connecting.ended().thenRun(() -> alive.remove(connecting));
    connecting.start();
    if (closed) {
      connecting.end(new ChannelEnd(ChannelEnd.Cause.CLOSED, "the server closes its channels"));
    }
    return connecting;
  }

  private static SocketChannel next(AgentTransport transport, Duration left) {
    try {
      return transport.next(left.isNegative() ? Duration.ZERO : left);
    } catch (IOException e) {
      throw lost("the sandbox's agent did not connect in time", e);
    }
  }

  private static ChannelEnd endOf(Connecting connecting) {
    return connecting.ended().join();
  }

  private static SandboxException lost(String message, Exception cause) {
    return new SandboxException(ErrorCode.AGENT_LOST, message, Map.of(), cause);
  }
}
