package dev.microsandbox.agent;

import static dev.microsandbox.agent.BrokenRuleException.require;

import com.google.protobuf.ByteString;
import dev.microsandbox.agent.wire.AgentControl;
import dev.microsandbox.agent.wire.AgentOpen;
import dev.microsandbox.agent.wire.BackgroundOutput;
import dev.microsandbox.agent.wire.DnsAnswer;
import dev.microsandbox.agent.wire.DnsQuery;
import dev.microsandbox.agent.wire.Hello;
import dev.microsandbox.agent.wire.HostControl;
import dev.microsandbox.agent.wire.Welcome;
import dev.microsandbox.model.SandboxId;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/// The owner of one channel: sees it through its hello, then hands its messages on.
final class Connecting implements Channel.Owner {
  static final int VERSION = 1;
  private static final System.Logger LOG = System.getLogger(Connecting.class.getName());
  private static final Duration UNTIL_HELLO = Duration.ofSeconds(5);
  private static final int MAX_DNS_MESSAGE = 4_096;
  private static final int MAX_QUERIES = 1_024;
  private static final int MAX_DIAGNOSTIC = 4_096;
  private static final int MAX_BACKGROUND = 32 * 1024;

  /// Whose connection it is to be, and who is told.
  record Expected(
      SandboxId sandbox, byte[] secret, SandboxListener listener, OutboundHandler outbound) {}

  private final Expected expected;
  private final Channel channel;
  private final Requests requests;
  private final CompletableFuture<ConnectedAgent> connected = new CompletableFuture<>();
  private final CompletableFuture<ChannelEnd> ended = new CompletableFuture<>();
  private final AtomicInteger queries = new AtomicInteger();

  Connecting(SelectorLoop loop, SocketChannel socket, Expected expected) {
    this.expected = expected;
    this.channel = new Channel(loop, socket, this);
    this.requests = new Requests(channel);
  }

  /// Begins. Of the futures `connected` completes with the agent's hello, `ended` with the end.
  void start() {
    channel.start();
    SelectorLoop.Cancellable limit =
        channel
            .loop()
            .schedule(
                UNTIL_HELLO,
                () ->
                    channel.end(
                        new ChannelEnd(ChannelEnd.Cause.UNANSWERED, "no hello within 5 seconds")));
    connected.whenComplete((_, _) -> limit.cancel());
    ended.thenRun(limit::cancel);
  }

  CompletableFuture<ConnectedAgent> connected() {
    return connected;
  }

  CompletableFuture<ChannelEnd> ended() {
    return ended;
  }

  void end(ChannelEnd reason) {
    channel.end(reason);
  }

  @Override
  public void control(AgentControl message) throws BrokenRuleException {
    if (!connected.isDone()) {
      require(message.hasHello(), "another message before the hello");
      hello(message.getHello());
      return;
    }
    switch (message.getBodyCase()) {
      case HELLO -> throw new BrokenRuleException("a second hello");
      case DONE, FAILURE, FILE_CONTENT, STATUS -> requests.answer(message);
      case DNS_QUERY -> query(message.getId(), message.getDnsQuery());
      case CONTEXT_CHANGED ->
          tell(() ->
              expected.listener.onContextChanged(AgentWords.context(message.getContextChanged())));
      case DIAGNOSTIC -> {
        String text = AgentText.harmless(message.getDiagnostic().getText(), MAX_DIAGNOSTIC);
        String level = AgentWords.name(message.getDiagnostic().getLevel());
        tell(() -> expected.listener.onDiagnostic(level, text));
      }
      case BACKGROUND -> background(message.getBackground());
      case BODY_NOT_SET -> {} // of a later version
    }
  }

  private void hello(Hello hello) throws BrokenRuleException {
    require(
        same(hello.getSandboxIdBytes(), expected.sandbox.value().getBytes(StandardCharsets.UTF_8)),
        "a hello for another sandbox");
    require(same(hello.getSecret(), expected.secret), "a hello with a wrong secret");
    require(hello.getVersion() >= 1, "a hello without a version");
    int version = Math.min(VERSION, hello.getVersion());
    AgentHello words = AgentWords.hello(hello, expected.sandbox, version);
    Instant now = Instant.now();
    channel.sendControl(
        HostControl.newBuilder()
            .setWelcome(
                Welcome.newBuilder()
                    .setVersion(VERSION)
                    .setUnixNanos(now.getEpochSecond() * 1_000_000_000L + now.getNano()))
            .build());
    connected.complete(new ConnectedAgent(channel, requests, words, ended));
  }

  private static boolean same(ByteString said, byte[] wanted) {
    return MessageDigest.isEqual(said.toByteArray(), wanted);
  }

  private void query(long id, DnsQuery query) throws BrokenRuleException {
    require(query.getMessage().size() <= MAX_DNS_MESSAGE, "a name query of more than 4 KiB");
    require(queries.incrementAndGet() <= MAX_QUERIES, "more than 1,024 queries unanswered");
    AtomicBoolean answered = new AtomicBoolean();
    OutboundHandler.DnsReply reply =
        message -> {
          if (answered.compareAndSet(false, true)) {
            queries.decrementAndGet();
            answer(id, message);
          }
        };
    try {
      expected.outbound.onDnsQuery(query.getMessage().toByteArray(), query.getTcp(), reply);
    } catch (RuntimeException | Error e) {
      LOG.log(System.Logger.Level.WARNING, "a name query failed", e);
      reply.answer(new byte[0]);
    }
  }

  private void answer(long id, byte[] message) {
    boolean fits = message.length <= Frames.MAX_PAYLOAD - 64;
    ByteString body = fits ? ByteString.copyFrom(message) : ByteString.EMPTY;
    channel.sendControl(
        HostControl.newBuilder()
            .setId(id)
            .setDnsAnswer(DnsAnswer.newBuilder().setMessage(body))
            .build());
  }

  private void background(BackgroundOutput output) throws BrokenRuleException {
    require(output.getData().size() <= MAX_BACKGROUND, "more than 32 KiB of background output");
    Lane lane = output.getLane() == 0 ? Lane.STDOUT : Lane.STDERR;
    tell(() ->
        expected.listener.onBackgroundOutput(
            AgentWords.name(output.getContextId()),
            lane,
            output.getData().asReadOnlyByteBuffer(),
            Math.max(0, output.getDropped())));
  }

  @Override
  public OutboundConnection outbound(int number, AgentOpen open) throws BrokenRuleException {
    require(connected.isDone(), "OPEN before the hello");
    return new OutboundConnection(channel, number, open, expected.outbound);
  }

  @Override
  public void ended(ChannelEnd end) {
    requests.end(end);
    if (!connected.completeExceptionally(Channel.lost(end))) {
      tell(expected.outbound::onChannelEnded);
    }
    // Whoever waits for the end may do so at length, and must not do it on the loop's thread.
    Thread.ofVirtual().name("channel-ended").start(() -> ended.complete(end));
  }

  private static void tell(Runnable telling) {
    try {
      telling.run();
    } catch (RuntimeException | Error e) {
      LOG.log(System.Logger.Level.WARNING, "a sandbox's listener failed", e);
    }
  }
}
