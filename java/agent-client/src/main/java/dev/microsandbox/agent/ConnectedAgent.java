package dev.microsandbox.agent;

import com.google.protobuf.ByteString;
import dev.microsandbox.agent.wire.Acknowledge;
import dev.microsandbox.agent.wire.AgentControl;
import dev.microsandbox.agent.wire.Attach;
import dev.microsandbox.agent.wire.CloseContext;
import dev.microsandbox.agent.wire.Configure;
import dev.microsandbox.agent.wire.HostControl;
import dev.microsandbox.agent.wire.HostOpen;
import dev.microsandbox.agent.wire.Interrupt;
import dev.microsandbox.agent.wire.InterruptReason;
import dev.microsandbox.agent.wire.OpenContext;
import dev.microsandbox.agent.wire.Ping;
import dev.microsandbox.agent.wire.Shutdown;
import dev.microsandbox.agent.wire.Signal;
import dev.microsandbox.agent.wire.StatusQuery;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.SandboxException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;

/// The typed calls, over a channel that stands.
final class ConnectedAgent implements AgentClient {
  private static final Duration SOON = Duration.ofSeconds(10);
  private static final Duration FOR_INTERRUPT = Duration.ofSeconds(2);
  private static final Duration FOR_INTERPRETER = Duration.ofSeconds(60);
  private static final int IDS_IN_A_MESSAGE = 2_000;
  private static final int DEFAULT_WINDOW = ReceiveWindow.MAX_INITIAL;

  private final Channel channel;
  private final Requests requests;
  private final AgentHello hello;
  private final CompletableFuture<ChannelEnd> ended;

  /// Whether the agent is from before whole files were streams.
  private volatile boolean filesInParts;

  ConnectedAgent(
      Channel channel, Requests requests, AgentHello hello, CompletableFuture<ChannelEnd> ended) {
    this.channel = channel;
    this.requests = requests;
    this.hello = hello;
    this.ended = ended;
  }

  @Override
  public AgentHello hello() {
    return hello;
  }

  @Override
  public CompletableFuture<Void> configure(SandboxConfiguration configuration, Duration patience) {
    CompletableFuture<Void> told = CompletableFuture.completedFuture(null);
    for (Configure part : HostWords.configure(configuration)) {
      HostControl.Builder message = HostControl.newBuilder().setConfigure(part);
      told =
          told.thenCompose(_ -> requests.send(message, patience, Requests.Expiry.ALWAYS))
              .thenAccept(this::requireDone);
    }
    return told;
  }

  @Override
  public ObjectStream runCell(CellRequest request, ObjectListener listener) {
    HostWords.Source source = HostWords.Source.of(request.code());
    return open(
        request.id(),
        listener,
        source.rest(),
        view -> HostWords.open(request, source, view.window.open(request.window())));
  }

  @Override
  public ObjectStream startProcess(ProcessRequest request, ObjectListener listener) {
    return open(
        request.id(),
        listener,
        ByteBuffer.allocate(0),
        view -> HostWords.open(request, view.window.open(request.window())));
  }

  @Override
  public ObjectStream attach(ObjectId id, long offset, ObjectListener listener) {
    Attach.Builder attach = Attach.newBuilder().setObjectId(HostWords.bytes(id)).setOffset(offset);
    return open(
        id,
        listener,
        ByteBuffer.allocate(0),
        view ->
            HostOpen.newBuilder()
                .setWindow(view.window.open(DEFAULT_WINDOW))
                .setAttach(attach)
                .build());
  }

  private ObjectView open(
      ObjectId id,
      ObjectListener listener,
      ByteBuffer code,
      Function<ObjectView, HostOpen> message) {
    return channel.open(
        number -> new ObjectView(channel, number, id, listener, code), message::apply);
  }

  @Override
  public CompletableFuture<Void> interrupt(ObjectId id, InterruptCause cause, Duration grace) {
    Interrupt.Builder interrupt =
        Interrupt.newBuilder()
            .setObjectId(HostWords.bytes(id))
            .setGraceMs(millis(grace))
            .setReason(
                switch (cause) {
                  case CALLER -> InterruptReason.INTERRUPT_REASON_CALLER;
                  case TIMEOUT -> InterruptReason.INTERRUPT_REASON_TIMEOUT;
                });
    return requests
        .send(
            HostControl.newBuilder().setInterrupt(interrupt), FOR_INTERRUPT, Requests.Expiry.ALWAYS)
        .thenAccept(_ -> {});
  }

  @Override
  public void signal(ObjectId id, int number, boolean group) {
    Signal.Builder signal =
        Signal.newBuilder().setObjectId(HostWords.bytes(id)).setNumber(number).setGroup(group);
    done(HostControl.newBuilder().setSignal(signal), SOON);
  }

  @Override
  public void acknowledge(List<ObjectId> ids) {
    for (int from = 0; from < ids.size(); from += IDS_IN_A_MESSAGE) {
      List<ByteString> some =
          ids.subList(from, Math.min(ids.size(), from + IDS_IN_A_MESSAGE)).stream()
              .map(HostWords::bytes)
              .toList();
      channel.sendControlSoon(
          HostControl.newBuilder()
              .setAcknowledge(Acknowledge.newBuilder().addAllObjectIds(some))
              .build());
    }
  }

  @Override
  public void openContext(ContextRequest request) {
    OpenContext.Builder open =
        OpenContext.newBuilder()
            .setContextId(request.id())
            .setLanguage(request.language().wireName())
            .putAllEnvironment(request.environment())
            .setWorkingDirectory(request.workingDirectory())
            .setUser(request.user());
    done(HostControl.newBuilder().setOpenContext(open), FOR_INTERPRETER);
  }

  @Override
  public void closeContext(String contextId) {
    CloseContext.Builder close = CloseContext.newBuilder().setContextId(contextId);
    done(HostControl.newBuilder().setCloseContext(close), SOON);
  }

  @Override
  public FileDownload readFile(String path, String user) {
    if (!filesInParts) {
      DownloadStream stream =
          channel.open(
              number -> new DownloadStream(channel, number),
              made -> HostWords.download(path, user, made.window.open(DEFAULT_WINDOW)));
      if (stream.awaitOpened()) {
        return stream;
      }
      filesInParts = true;
    }
    return SmallFileTransfer.download(this::answer, path, user);
  }

  @Override
  public FileUpload writeFile(String path, FileMode mode) {
    if (!filesInParts) {
      UploadStream stream =
          channel.open(
              number -> new UploadStream(channel, number), _ -> HostWords.upload(path, mode));
      if (stream.awaitOpened()) {
        return stream;
      }
      filesInParts = true;
    }
    return SmallFileTransfer.upload(this::answer, path, mode);
  }

  @Override
  public AgentStatus status() {
    AgentControl answer =
        answer(HostControl.newBuilder().setStatus(StatusQuery.getDefaultInstance()), SOON);
    try {
      BrokenRuleException.require(answer.hasStatus(), "another answer than a status");
      return AgentWords.status(answer.getStatus());
    } catch (BrokenRuleException e) {
      throw broken(e);
    }
  }

  @Override
  public void ping(Duration deadline) {
    HostControl.Builder ping = HostControl.newBuilder().setPing(Ping.getDefaultInstance());
    await(requests.send(ping, deadline, Requests.Expiry.IF_ALIVE));
  }

  @Override
  public void shutdown(Duration grace) {
    channel.sendControl(
        HostControl.newBuilder()
            .setShutdown(Shutdown.newBuilder().setGraceMs(millis(grace)))
            .build());
  }

  @Override
  public CompletableFuture<ChannelEnd> ended() {
    return ended.copy();
  }

  /// Bytes that wait to be sent.
  long backlog() {
    return channel.backlog();
  }

  @Override
  public void close() {
    channel.end(new ChannelEnd(ChannelEnd.Cause.CLOSED, "closed by the host"));
  }

  private void done(HostControl.Builder message, Duration deadline) {
    requireDone(answer(message, deadline));
  }

  private void requireDone(AgentControl answer) {
    if (!answer.hasDone()) {
      throw broken(new BrokenRuleException("another answer than done"));
    }
  }

  private AgentControl answer(HostControl.Builder message, Duration deadline) {
    if (channel.loop().isCurrent()) {
      throw new IllegalStateException("a listener must not wait for an answer");
    }
    return await(requests.send(message, deadline, Requests.Expiry.ALWAYS));
  }

  private SandboxException broken(BrokenRuleException rule) {
    ChannelEnd end = new ChannelEnd(ChannelEnd.Cause.RULE_BROKEN, rule.message());
    channel.end(end);
    return Channel.lost(end);
  }

  private static <T> T await(CompletableFuture<T> answer) {
    try {
      return answer.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SandboxException(
          ErrorCode.SHUTTING_DOWN, "interrupted while the agent worked", java.util.Map.of(), e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof SandboxException coded) {
        throw coded;
      }
      throw new IllegalStateException(e);
    }
  }

  private static int millis(Duration time) {
    return Math.clamp(time.toMillis(), 1, Integer.MAX_VALUE);
  }
}
