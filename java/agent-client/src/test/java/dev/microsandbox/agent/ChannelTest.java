package dev.microsandbox.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import com.google.protobuf.ByteString;
import dev.microsandbox.agent.wire.AgentControl;
import dev.microsandbox.agent.wire.AgentOpen;
import dev.microsandbox.agent.wire.CellError;
import dev.microsandbox.agent.wire.CellResult;
import dev.microsandbox.agent.wire.Connect;
import dev.microsandbox.agent.wire.ContextState;
import dev.microsandbox.agent.wire.Credit;
import dev.microsandbox.agent.wire.Diagnostic;
import dev.microsandbox.agent.wire.DnsQuery;
import dev.microsandbox.agent.wire.Done;
import dev.microsandbox.agent.wire.Failure;
import dev.microsandbox.agent.wire.FileContent;
import dev.microsandbox.agent.wire.HostControl;
import dev.microsandbox.agent.wire.Outcome;
import dev.microsandbox.agent.wire.Reset;
import dev.microsandbox.agent.wire.ResetReason;
import dev.microsandbox.agent.wire.StreamEvent;
import dev.microsandbox.agent.wire.WriteFile;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.SandboxException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What both ends do when they keep to the rules.
@Timeout(60)
class ChannelTest {
  private static final byte[] HELLO_WORLD = "hello\n".getBytes(StandardCharsets.UTF_8);

  private ChannelFixture fixture;
  private AgentClient client;
  private FakeAgent agent;

  @BeforeEach
  void connect() throws Exception {
    fixture = new ChannelFixture();
    ChannelFixture.Pair pair = fixture.connected();
    client = pair.client();
    agent = pair.agent();
  }

  @AfterEach
  void close() throws IOException {
    agent.close();
    fixture.close();
  }

  @Test
  void deliversACellsEventsInTheirOrder() throws Exception {
    RecordingListener listener = new RecordingListener();
    ObjectId id = ObjectId.random();
    client.runCell(new CellRequest(id, "python", "1 + 1", 0, 1 << 16), listener);
    FakeAgent.Frame open = agent.receive();
    assertThat(open.open().getRunCell().getObjectId().toByteArray()).isEqualTo(id.toBytes());
    assertThat(open.open().getWindow()).isEqualTo(1 << 16);
    int stream = open.stream();
    agent.opened(stream, 0);
    agent.started(stream, 42);
    agent.data(stream, 0, HELLO_WORLD);
    agent.event(
        stream,
        StreamEvent.newBuilder().setResult(CellResult.newBuilder().putData("text/plain", "2")));
    agent.data(stream, 1, HELLO_WORLD);
    agent.event(
        stream,
        StreamEvent.newBuilder().setError(CellError.newBuilder().setName("E").setMessage("m")));
    agent.finish(stream, Outcome.OUTCOME_OK, 0);

    ObjectEnd end = listener.awaitEnd();
    assertThat(end.outcome()).isEqualTo(dev.microsandbox.model.Outcome.OK);
    assertThat(listener.events())
        .containsExactly("started", "stdout", "result 2", "stderr", "error E: m", "finished");
    assertThat(agent.receive().type()).as("the host ends its half").isEqualTo(FrameType.END);
  }

  @Test
  void sendsALongCellsRestAsCreditComes() throws Exception {
    String code = "é".repeat(60_000);
    byte[] bytes = code.getBytes(StandardCharsets.UTF_8);
    client.runCell(cell(code), new RecordingListener());
    FakeAgent.Frame open = agent.receive();
    ByteArrayOutputStream got = new ByteArrayOutputStream();
    got.writeBytes(open.open().getRunCell().getCodeBytes().toByteArray());
    assertThat(open.open().getRunCell().getCodeLength()).isEqualTo(bytes.length);
    agent.opened(open.stream(), 1_000);
    got.writeBytes(agent.receive(FrameType.DATA).payload());
    agent.frame(open.stream(), FrameType.CREDIT, Credit.newBuilder().setBytes(100_000).build());
    FakeAgent.Frame next = agent.receive();
    while (next.type() == FrameType.DATA) {
      got.writeBytes(next.payload());
      next = agent.receive();
    }
    assertThat(next.type()).isEqualTo(FrameType.END);
    assertThat(got.toByteArray()).isEqualTo(bytes);
  }

  @Test
  void grantsAnewWhatHasBeenTaken() throws Exception {
    RecordingListener listener = new RecordingListener();
    ObjectStream view =
        client.runCell(new CellRequest(ObjectId.random(), "python", "x", 0, 1_000), listener);
    int stream = agent.receive().stream();
    agent.opened(stream, 0);
    agent.data(stream, 0, new byte[1_000]);
    awaitUntil(() -> listener.stdout().length() == 1_000);
    view.grant(100);
    view.grant(900);
    int granted = 0;
    while (granted < 1_000) {
      granted += agent.receive(FrameType.CREDIT).parsed(Credit.parser()).getBytes();
    }
    assertThat(granted).isEqualTo(1_000);
  }

  @Test
  void inputWaitsForCreditAndEndsWithEnd() throws Exception {
    ObjectStream view = client.startProcess(process(true), new RecordingListener());
    int stream = agent.receive().stream();
    CompletableFuture<Void> written =
        CompletableFuture.runAsync(() -> {
          try {
            view.write(ByteBuffer.wrap(new byte[50]));
            view.endInput();
          } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
          }
        });
    agent.opened(stream, 20);
    assertThat(agent.receive().payload()).hasSize(20);
    assertThat(written).isNotDone();
    agent.frame(stream, FrameType.CREDIT, Credit.newBuilder().setBytes(30).build());
    assertThat(agent.receive().payload()).hasSize(30);
    assertThat(agent.receive().type()).isEqualTo(FrameType.END);
    written.get(5, TimeUnit.SECONDS);
  }

  @Test
  void endOfInputBeforeTheProgramStandsIsSentLater() throws Exception {
    client.startProcess(process(true), new RecordingListener()).endInput();
    int stream = agent.receive().stream();
    agent.opened(stream, 20);
    assertThat(agent.receive().type()).isEqualTo(FrameType.END);
  }

  @Test
  void inputFailsWhenTheChannelEnds() throws Exception {
    ObjectStream view = client.startProcess(process(true), new RecordingListener());
    agent.opened(agent.receive().stream(), 0);
    CompletableFuture<Void> written =
        CompletableFuture.runAsync(() ->
            assertThatThrownBy(() -> view.write(ByteBuffer.wrap(new byte[5])))
                .isInstanceOf(IOException.class));
    Thread.sleep(50);
    agent.close();
    written.get(5, TimeUnit.SECONDS);
  }

  @Test
  void aRefusedStartIsTheErrorThatTheAgentNames() throws Exception {
    RecordingListener listener = new RecordingListener();
    client.startProcess(process(false), listener);
    agent.frame(
        agent.receive().stream(),
        FrameType.RESET,
        Reset.newBuilder()
            .setReason(ResetReason.RESET_REASON_FAILED)
            .setCode("command_not_found")
            .setMessage("no such program: \u001b[2Jls")
            .build());
    assertThatThrownBy(listener::awaitEnd)
        .cause()
        .asInstanceOf(type(SandboxException.class))
        .satisfies(e -> {
          assertThat(e.code()).isEqualTo(ErrorCode.COMMAND_NOT_FOUND);
          assertThat(e.message()).isEqualTo("no such program: \\u{1b}[2Jls");
        });
  }

  @Test
  void detachingResetsTheStreamAndTellsNothingMore() throws Exception {
    RecordingListener listener = new RecordingListener();
    ObjectStream view = client.runCell(cell("x"), listener);
    int stream = agent.receive().stream();
    view.close();
    assertThat(agent.receive().type()).isEqualTo(FrameType.RESET);
    agent.opened(stream, 0);
    agent.data(stream, 0, HELLO_WORLD);
    ping();
    assertThat(listener.events()).isEmpty();
  }

  @Test
  void requestsGetTheirAnswers() throws Exception {
    CompletableFuture<Void> interrupt =
        client.interrupt(ObjectId.random(), InterruptCause.TIMEOUT, Duration.ofMillis(500));
    HostControl request = agent.receive().control();
    assertThat(request.getInterrupt().getGraceMs()).isEqualTo(500);
    agent.control(done(request.getId() + 77));
    agent.control(done(request.getId()));
    interrupt.get(5, TimeUnit.SECONDS);
  }

  @Test
  void aFailureKeepsItsCodeOnlyWhereAnAgentMaySayIt() throws Exception {
    assertThat(failureAs("no_such_file").code()).isEqualTo(ErrorCode.NO_SUCH_FILE);
    assertThat(failureAs("unauthenticated").code()).isEqualTo(ErrorCode.INTERNAL);
    assertThat(failureAs("no such code").code()).isEqualTo(ErrorCode.INTERNAL);
  }

  @Test
  void readsAFileInPartsFromAnAgentThatKnowsNoFileStreams() throws Exception {
    CompletableFuture<byte[]> file = async(() -> WholeFiles.read(client, "a"));
    refuseAsUnknown();
    answerWithContent(61_440, 61_450, false);
    answerWithContent(10, 61_450, true);
    assertThat(file.get(5, TimeUnit.SECONDS)).hasSize(61_450);

    CompletableFuture<byte[]> again = async(() -> WholeFiles.read(client, "a"));
    answerWithContent(90, 5_000, false);
    answerWithContent(0, 90, true);
    assertThatThrownBy(() -> again.get(5, TimeUnit.SECONDS))
        .as("shorter than was announced")
        .cause()
        .asInstanceOf(type(SandboxException.class))
        .extracting(SandboxException::code)
        .isEqualTo(ErrorCode.INVALID_REQUEST);
  }

  @Test
  void writesAFileInPartsToAnAgentThatKnowsNoFileStreams() throws Exception {
    CompletableFuture<Object> written =
        async(() -> {
          WholeFiles.write(client, "a", new byte[61_441]);
          return "";
        });
    refuseAsUnknown();
    HostControl first = agent.receive().control();
    agent.control(done(first.getId()));
    HostControl second = agent.receive().control();
    agent.control(done(second.getId()));
    written.get(5, TimeUnit.SECONDS);
    WriteFile last = second.getWriteFile();
    assertThat(first.getWriteFile().getLast()).isFalse();
    assertThat(last.getLast()).isTrue();
    assertThat(last.getOffset()).isEqualTo(61_440);
    assertThat(last.getContent().size()).isEqualTo(1);
    assertThat(last.getWriteId()).isEqualTo(first.getWriteFile().getWriteId());
  }

  private void refuseAsUnknown() throws IOException {
    FakeAgent.Frame open = agent.receive();
    assertThat(open.type()).isEqualTo(FrameType.OPEN);
    Reset.Builder reset =
        Reset.newBuilder()
            .setReason(ResetReason.RESET_REASON_UNSUPPORTED)
            .setCode("unsupported")
            .setMessage("this agent cannot open streams of this kind");
    agent.frame(open.stream(), FrameType.RESET, reset.build());
  }

  @Test
  void splitsAConfigurationThatIsTooLargeForOneFrame() throws Exception {
    SandboxConfiguration large =
        new SandboxConfiguration(
            "box",
            Map.of("A", "x".repeat(30_000)),
            true,
            Map.of(),
            new byte[48 * 1024],
            List.of(),
            List.of(),
            List.of());
    CompletableFuture<Object> configured =
        async(() -> {
          client.configure(large, Duration.ofSeconds(10)).join();
          return "";
        });
    HostControl first = agent.receive().control();
    agent.control(done(first.getId()));
    HostControl second = agent.receive().control();
    agent.control(done(second.getId()));
    configured.get(5, TimeUnit.SECONDS);
    assertThat(first.getConfigure().getCaBundle().size()).isEqualTo(48 * 1024);
    assertThat(second.getConfigure().getHostname()).isEqualTo("box");
  }

  @Test
  void tellsWhatTheAgentSaysUnasked() throws Exception {
    agent.control(
        AgentControl.newBuilder()
            .setContextChanged(ContextState.newBuilder().setContextId("python").setReady(true)));
    assertThat(fixture.nextTold()).isEqualTo("context python true");
    agent.control(diagnostic("a\nb\u202e"));
    assertThat(fixture.nextTold()).isEqualTo("info a\\u{a}b\\u{202e}");
  }

  @Test
  void survivesAListenerThatThrows() throws Exception {
    agent.control(diagnostic("throw"));
    agent.control(diagnostic("still here"));
    assertThat(fixture.nextTold()).isEqualTo("info still here");
  }

  @Test
  void aFailingObjectListenerLosesItsStreamAlone() throws Exception {
    CompletableFuture<SandboxException> lost = new CompletableFuture<>();
    client.runCell(cell("x"), new FailingListener(lost));
    int stream = agent.receive().stream();
    agent.opened(stream, 0);
    agent.data(stream, 0, HELLO_WORLD);
    assertThat(agent.receive().type()).isEqualTo(FrameType.RESET);
    assertThat(lost.get(5, TimeUnit.SECONDS).code()).isEqualTo(ErrorCode.INTERNAL);
    ping();
  }

  @Test
  void answersNameQueries() throws Exception {
    agent.control(
        AgentControl.newBuilder()
            .setId(9)
            .setDnsQuery(DnsQuery.newBuilder().setMessage(ByteString.copyFromUtf8("q"))));
    HostControl answer = agent.receive().control();
    assertThat(answer.getId()).isEqualTo(9);
    assertThat(answer.getDnsAnswer().getMessage().toStringUtf8()).isEqualTo("q");
  }

  @Test
  void carriesAnOutboundConnectionBothWaysWithHalfClose() throws Exception {
    RecordingReceiver receiver = new RecordingReceiver();
    openOutbound(2, 10);
    ChannelFixture.Wanted wanted = fixture.wanted.poll(5, TimeUnit.SECONDS);
    assertThat(wanted.address().getHostAddress()).isEqualTo("192.0.2.1");
    assertThat(wanted.port()).isEqualTo(443);
    wanted.stream().accept(receiver, 5_000);
    assertThat(agent.receive(FrameType.OPENED).stream()).isEqualTo(2);

    agent.data(2, 0, HELLO_WORLD);
    assertThat(receiver.next()).isEqualTo("data 6");
    agent.frame(2, FrameType.END, 0, new byte[0]);
    assertThat(receiver.next()).isEqualTo("end");

    ByteBuffer reply = ByteBuffer.wrap(new byte[25]);
    assertThat(wanted.stream().write(reply)).as("as far as credit goes").isEqualTo(10);
    assertThat(agent.receive().payload()).hasSize(10);
    agent.frame(2, FrameType.CREDIT, Credit.newBuilder().setBytes(100).build());
    assertThat(receiver.next()).isEqualTo("writable");
    assertThat(wanted.stream().write(reply)).isEqualTo(15);
    wanted.stream().end();
    assertThat(agent.receive().payload()).hasSize(15);
    assertThat(agent.receive().type()).isEqualTo(FrameType.END);
  }

  @Test
  void refusesAnOutboundConnectionWithItsReason() throws Exception {
    openOutbound(2, 10);
    fixture.wanted.poll(5, TimeUnit.SECONDS).stream().refuse(OutboundStream.Refusal.DENIED);
    assertThat(agent.receive().parsed(Reset.parser()).getReason())
        .isEqualTo(ResetReason.RESET_REASON_DENIED);
  }

  @Test
  void outboundConnectionsEndWithTheChannel() throws Exception {
    RecordingReceiver receiver = new RecordingReceiver();
    openOutbound(2, 10);
    fixture.wanted.poll(5, TimeUnit.SECONDS).stream().accept(receiver, 5_000);
    agent.close();
    assertThat(receiver.next()).isEqualTo("reset");
    assertThat(fixture.nextTold()).isEqualTo("ended");
  }

  @Test
  void aLargeReplyWaitsForASlowAgentInBoundedMemory() throws Exception {
    RecordingReceiver receiver = new RecordingReceiver();
    openOutbound(2, 256 * 1024);
    OutboundStream stream = fixture.wanted.poll(5, TimeUnit.SECONDS).stream();
    stream.accept(receiver, 5_000);
    for (int i = 0; i < 3; i++) {
      agent.frame(2, FrameType.CREDIT, Credit.newBuilder().setBytes(256 * 1024).build());
    }
    ping();
    ByteBuffer reply = ByteBuffer.allocate(1 << 20);
    int taken = stream.write(reply);
    assertThat(taken).as("the socket's buffer and one frame").isLessThan(1 << 20);
    int read = 0;
    while (read < taken) {
      read += agent.receive(FrameType.DATA).payload().length;
    }
    assertThat(receiver.next()).isEqualTo("writable");
  }

  @Test
  void closingEndsEverything() throws Exception {
    RecordingListener listener = new RecordingListener();
    client.runCell(cell("x"), listener);
    client.close();
    assertThat(client.ended().get(5, TimeUnit.SECONDS).cause()).isEqualTo(ChannelEnd.Cause.CLOSED);
    assertThatThrownBy(listener::awaitEnd).hasCauseInstanceOf(SandboxException.class);
    assertThatThrownBy(() -> client.runCell(cell("y"), listener))
        .isInstanceOf(SandboxException.class);
    assertThatThrownBy(() -> client.status()).isInstanceOf(SandboxException.class);
  }

  @Test
  void theAgentReconnects() throws Exception {
    agent.close();
    assertThat(client.ended().get(5, TimeUnit.SECONDS).cause()).isEqualTo(ChannelEnd.Cause.LOST);
    try (FakeAgent again = fixture.connected().agent()) {
      again.control(diagnostic("back"));
      assertThat(fixture.nextTold()).isEqualTo("ended");
      assertThat(fixture.nextTold()).isEqualTo("info back");
    }
  }

  // ---- helpers

  /// Returns when the host has read all that was sent before.
  private void ping() throws Exception {
    CompletableFuture<Object> answered =
        async(() -> {
          client.ping(Duration.ofSeconds(5));
          return "";
        });
    agent.control(done(agent.receive(FrameType.CONTROL).control().getId()));
    answered.get(5, TimeUnit.SECONDS);
  }

  private void openOutbound(int stream, int window) throws IOException {
    Connect.Builder connect =
        Connect.newBuilder()
            .setAddress(ByteString.copyFrom(new byte[] {(byte) 192, 0, 2, 1}))
            .setPort(443);
    agent.frame(
        stream,
        FrameType.OPEN,
        AgentOpen.newBuilder().setWindow(window).setConnect(connect).build());
  }

  private SandboxException failureAs(String code) throws Exception {
    CompletableFuture<Void> request =
        client.interrupt(ObjectId.random(), InterruptCause.CALLER, Duration.ofSeconds(1));
    long id = agent.receive().control().getId();
    agent.control(
        AgentControl.newBuilder()
            .setId(id)
            .setFailure(Failure.newBuilder().setCode(code).setMessage("m")));
    return request
        .handle((_, failure) -> (SandboxException) ((CompletionException) failure).getCause())
        .get(5, TimeUnit.SECONDS);
  }

  private void answerWithContent(int length, long size, boolean end) throws IOException {
    long id = agent.receive().control().getId();
    agent.control(
        AgentControl.newBuilder()
            .setId(id)
            .setFileContent(
                FileContent.newBuilder()
                    .setContent(ByteString.copyFrom(new byte[length]))
                    .setSize(size)
                    .setEnd(end)));
  }

  private static AgentControl.Builder done(long id) {
    return AgentControl.newBuilder().setId(id).setDone(Done.getDefaultInstance());
  }

  private static AgentControl.Builder diagnostic(String text) {
    return AgentControl.newBuilder()
        .setDiagnostic(Diagnostic.newBuilder().setLevel("info").setText(text));
  }

  private static CellRequest cell(String code) {
    return new CellRequest(ObjectId.random(), "python", code, 0, 1 << 16);
  }

  private static ProcessRequest process(boolean stdin) {
    return new ProcessRequest(
        ObjectId.random(), List.of("cat"), Map.of(), "", "", stdin, 0, 1 << 16);
  }

  private static <T> CompletableFuture<T> async(java.util.function.Supplier<T> call) {
    return CompletableFuture.supplyAsync(call);
  }

  private static void awaitUntil(java.util.function.BooleanSupplier condition)
      throws InterruptedException {
    while (!condition.getAsBoolean()) {
      Thread.sleep(1);
    }
  }

  private static final class RecordingReceiver implements OutboundStream.Receiver {
    private final LinkedBlockingQueue<String> calls = new LinkedBlockingQueue<>();

    String next() throws InterruptedException {
      return String.valueOf(calls.poll(5, TimeUnit.SECONDS));
    }

    @Override
    public void onData(ByteBuffer bytes) {
      calls.add("data " + bytes.remaining());
    }

    @Override
    public void onEnd() {
      calls.add("end");
    }

    @Override
    public void onReset() {
      calls.add("reset");
    }

    @Override
    public void onWritable() {
      calls.add("writable");
    }
  }

  private static final class FailingListener implements ObjectListener {
    private final CompletableFuture<SandboxException> lost;

    FailingListener(CompletableFuture<SandboxException> lost) {
      this.lost = lost;
    }

    @Override
    public void onStarted(int pid, int cellNumber) {}

    @Override
    public void onOutput(Lane lane, ByteBuffer bytes) {
      throw new IllegalStateException("a listener that fails");
    }

    @Override
    public void onResult(Map<String, String> data, List<String> omitted) {}

    @Override
    public void onError(String name, String message, String traceback) {}

    @Override
    public void onFinished(ObjectEnd end) {}

    @Override
    public void onLost(SandboxException reason) {
      lost.complete(reason);
    }
  }
}
