package dev.microsandbox.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.microsandbox.agent.wire.AgentControl;
import dev.microsandbox.agent.wire.AgentOpen;
import dev.microsandbox.agent.wire.BackgroundOutput;
import dev.microsandbox.agent.wire.Connect;
import dev.microsandbox.agent.wire.Credit;
import dev.microsandbox.agent.wire.DnsQuery;
import dev.microsandbox.agent.wire.Done;
import dev.microsandbox.agent.wire.Finished;
import dev.microsandbox.agent.wire.Opened;
import dev.microsandbox.agent.wire.Outcome;
import dev.microsandbox.agent.wire.Started;
import dev.microsandbox.agent.wire.StreamEvent;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxId;
import java.io.IOException;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a sandbox can do with its end of the channel: end it, and nothing more.
@Timeout(60)
class HostileAgentTest {
  private ChannelFixture fixture;

  @BeforeEach
  void open() throws IOException {
    fixture = new ChannelFixture();
  }

  @AfterEach
  void close() throws IOException {
    fixture.close();
  }

  private interface Misdeed {
    void commit(FakeAgent agent) throws IOException;
  }

  @Nested
  class BeforeItsHello {
    @Test
    void garbageBeforeTheAnswerIsDiscarded() throws Exception {
      CompletableFuture<AgentClient> client = fixture.connecting(Duration.ofSeconds(10));
      try (FakeAgent agent = FakeAgent.dial(fixture.path)) {
        byte[] garbage = new byte[300_000];
        new Random(1).nextBytes(garbage);
        agent.raw(
            "MSBCHAN1MSBCHAN1 boot messages".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        agent.raw(garbage);
        agent.greet();
        agent.hello(fixture.sandbox);
        assertThat(client.get(5, TimeUnit.SECONDS).hello().agentVersion()).isEqualTo("fake");
      }
    }

    @Test
    void moreThanAMebibyteOfGarbageEndsIt() throws Exception {
      refused(agent -> agent.raw(new byte[(1 << 20) + 100]));
    }

    @Test
    void aHelloForAnotherSandboxEndsIt() throws Exception {
      refused(agent -> {
        agent.greet();
        agent.hello(SandboxId.random());
      });
    }

    @Test
    void aSecretThatWasNotAskedForEndsIt() throws Exception {
      refused(hello(FakeAgent.helloOf(fixture.sandbox).setSecret(ByteString.copyFromUtf8("x"))));
    }

    @Test
    void aHelloWithoutVersionOrBootIdEndsIt() throws Exception {
      refused(hello(FakeAgent.helloOf(fixture.sandbox).setVersion(0)));
      refused(hello(FakeAgent.helloOf(fixture.sandbox).setBootId(ByteString.EMPTY)));
    }

    @Test
    void aLaterVersionIsTakenAsOurs() throws Exception {
      CompletableFuture<AgentClient> client = fixture.connecting(Duration.ofSeconds(10));
      try (FakeAgent agent = FakeAgent.dial(fixture.path)) {
        hello(FakeAgent.helloOf(fixture.sandbox).setVersion(1_000)).commit(agent);
        assertThat(client.get(5, TimeUnit.SECONDS).hello().version()).isEqualTo(1);
      }
    }

    @Test
    void anythingBeforeTheHelloEndsIt() throws Exception {
      refused(agent -> {
        agent.greet();
        agent.control(AgentControl.newBuilder().setDone(Done.getDefaultInstance()));
      });
      refused(agent -> {
        agent.greet();
        openOutbound(agent, 2, 0);
      });
    }

    @Test
    void silenceIsDroppedAfterFiveSecondsAndTheNextIsTaken() throws Exception {
      CompletableFuture<AgentClient> client = fixture.connecting(Duration.ofSeconds(20));
      try (FakeAgent silent = FakeAgent.dial(fixture.path)) {
        silent.awaitClosed();
        try (FakeAgent _ = FakeAgent.connect(fixture.path, fixture.sandbox)) {
          client.get(5, TimeUnit.SECONDS);
        }
      }
    }

    @Test
    void anAgentThatHangsUpLeavesTheTurnToTheNext() throws Exception {
      CompletableFuture<AgentClient> client = fixture.connecting(Duration.ofSeconds(10));
      FakeAgent.dial(fixture.path).close();
      Thread.sleep(200);
      try (FakeAgent _ = FakeAgent.connect(fixture.path, fixture.sandbox)) {
        client.get(5, TimeUnit.SECONDS);
      }
    }

    private Misdeed hello(dev.microsandbox.agent.wire.Hello.Builder hello) {
      return agent -> {
        agent.greet();
        agent.control(AgentControl.newBuilder().setHello(hello));
      };
    }

    private void refused(Misdeed misdeed) throws Exception {
      CompletableFuture<AgentClient> client = fixture.connecting(Duration.ofSeconds(10));
      try (FakeAgent agent = FakeAgent.dial(fixture.path)) {
        try {
          misdeed.commit(agent);
        } catch (IOException _) {
          // closed in the middle of it
        }
        assertThatThrownBy(() -> client.get(10, TimeUnit.SECONDS))
            .isInstanceOf(ExecutionException.class)
            .cause()
            .isInstanceOfSatisfying(
                SandboxException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.AGENT_LOST))
            .hasMessageContaining("broke its protocol");
      }
    }
  }

  @Nested
  class OnceConnected {
    @Test
    void aSecondHelloEndsIt() throws Exception {
      endsIt(agent -> agent.hello(fixture.sandbox));
    }

    @Test
    void aPayloadThatIsNoMessageEndsIt() throws Exception {
      endsIt(agent -> agent.frame(0, FrameType.CONTROL, 0, new byte[] {(byte) 0xff, 1, 2}));
    }

    @Test
    void aLengthOf4GibEndsItAtOnce() throws Exception {
      endsIt(agent -> agent.raw(new byte[] {0, 0, 0, 1, 4, 0, 0, 0, -1, -1, -1, -1}));
    }

    @Test
    void controlOnAnotherStreamEndsIt() throws Exception {
      endsIt(agent -> agent.frame(4, FrameType.CONTROL, 0, new byte[0]));
      endsIt(agent -> agent.frame(0, FrameType.DATA, 0, new byte[1]));
    }

    @Test
    void openOfAUsedOrWrongSidedIdEndsIt() throws Exception {
      endsIt(agent -> openOutbound(agent, 1, 0));
      endsIt(agent -> {
        openOutbound(agent, 4, 0);
        openOutbound(agent, 4, 0);
      });
      endsIt(agent -> {
        openOutbound(agent, 4, 0);
        openOutbound(agent, 2, 0);
      });
    }

    @Test
    void aWindowThatIsTooLargeEndsIt() throws Exception {
      endsIt(agent -> openOutbound(agent, 2, 256 * 1024 + 1));
      endsIt(agent -> {
        openOutbound(agent, 2, 256 * 1024);
        for (int i = 0; i < 4; i++) {
          agent.frame(2, FrameType.CREDIT, Credit.newBuilder().setBytes(256 * 1024).build());
        }
      });
      endsIt(agent -> {
        openOutbound(agent, 2, 1);
        agent.frame(2, FrameType.CREDIT, Credit.newBuilder().setBytes(-1).build());
      });
    }

    @Test
    void dataBeforeAConnectionStandsEndsIt() throws Exception {
      endsIt(agent -> {
        openOutbound(agent, 2, 0);
        agent.data(2, 0, new byte[1]);
      });
    }

    @Test
    void anAddressOfAnotherLengthEndsIt() throws Exception {
      endsIt(agent -> connect(agent, 2, 0, new byte[5], 80));
      endsIt(agent -> connect(agent, 2, 0, new byte[4], 65_536));
    }

    @Test
    void moreThan4096StreamsEndIt() throws Exception {
      endsIt(agent -> {
        for (int i = 1; i <= 4_097; i++) {
          openOutbound(agent, 2 * i, 0);
        }
      });
    }

    @Test
    void tooMuchBackgroundOutputInOneMessageEndsIt() throws Exception {
      endsIt(agent ->
          agent.control(
              AgentControl.newBuilder()
                  .setBackground(
                      BackgroundOutput.newBuilder()
                          .setData(ByteString.copyFrom(new byte[40_000])))));
    }

    @Test
    void aHugeNameQueryEndsIt() throws Exception {
      endsIt(agent ->
          agent.control(
              AgentControl.newBuilder()
                  .setDnsQuery(
                      DnsQuery.newBuilder().setMessage(ByteString.copyFrom(new byte[5_000])))));
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "data beyond the window",
          "data before opened",
          "opened twice",
          "event before opened",
          "event after finished",
          "data after finished",
          "end without finished",
          "end twice",
          "outcome that does not exist",
          "huge window"
        })
    void aCellsStreamThatBreaksARuleEndsIt(String rule) throws Exception {
      ChannelFixture.Pair pair = fixture.connected();
      RecordingListener listener = new RecordingListener();
      pair.client().runCell(new CellRequest(ObjectId.random(), "python", "x", 0, 10), listener);
      try (FakeAgent agent = pair.agent()) {
        int stream = agent.receive().stream();
        try {
          breakRule(agent, stream, rule);
        } catch (IOException _) {
          // The host hung up at a frame before the last one: the same answer, sooner.
        }
        assertThat(pair.client().ended().get(10, TimeUnit.SECONDS).cause())
            .isEqualTo(ChannelEnd.Cause.RULE_BROKEN);
      }
      assertThat(listener.end()).isDone();
    }

    private void breakRule(FakeAgent agent, int stream, String rule) throws IOException {
      StreamEvent.Builder finished =
          StreamEvent.newBuilder()
              .setFinished(Finished.newBuilder().setOutcome(Outcome.OUTCOME_OK));
      StreamEvent.Builder started =
          StreamEvent.newBuilder().setStarted(Started.getDefaultInstance());
      if (rule.equals("data before opened")) {
        agent.data(stream, 0, new byte[1]);
        return;
      } else if (rule.equals("event before opened")) {
        agent.event(stream, started);
        return;
      } else if (rule.equals("huge window")) {
        agent.frame(
            stream, FrameType.OPENED, Opened.newBuilder().setWindow(Integer.MAX_VALUE).build());
        return;
      }
      agent.opened(stream, 0);
      switch (rule) {
        case "data beyond the window" -> agent.data(stream, 0, new byte[11]);
        case "opened twice" -> agent.opened(stream, 0);
        case "event after finished" -> {
          agent.event(stream, finished);
          agent.event(stream, started);
        }
        case "data after finished" -> {
          agent.event(stream, finished);
          agent.data(stream, 0, new byte[1]);
        }
        case "end without finished" -> agent.frame(stream, FrameType.END, 0, new byte[0]);
        case "end twice" -> {
          agent.frame(stream, FrameType.END, 0, new byte[0]);
          agent.frame(stream, FrameType.END, 0, new byte[0]);
        }
        case "outcome that does not exist" ->
            agent.event(
                stream,
                StreamEvent.newBuilder().setFinished(Finished.newBuilder().setOutcomeValue(99)));
        default -> throw new AssertionError(rule);
      }
    }

    @Test
    void framesOfStreamsThatNeverWereAreDropped() throws Exception {
      ChannelFixture.Pair pair = fixture.connected();
      try (FakeAgent agent = pair.agent()) {
        agent.data(77, 0, new byte[100]);
        agent.frame(78, FrameType.END, 0, new byte[0]);
        agent.control(AgentControl.newBuilder().setId(55).setDone(Done.getDefaultInstance()));
        agent.control(AgentControl.newBuilder());
        agent.control(
            AgentControl.newBuilder()
                .setDiagnostic(
                    dev.microsandbox.agent.wire.Diagnostic.newBuilder().setText("alive")));
        assertThat(fixture.nextTold()).isEqualTo(" alive");
      }
    }

    @Test
    void aRequestThatIsNeverAnsweredEndsIt() throws Exception {
      ChannelFixture.Pair pair = fixture.connected();
      try (FakeAgent _ = pair.agent()) {
        long start = System.nanoTime();
        CompletableFuture<Void> interrupt =
            pair.client()
                .interrupt(ObjectId.random(), InterruptCause.CALLER, Duration.ofSeconds(1));
        assertThatThrownBy(interrupt::join)
            .isInstanceOf(CompletionException.class)
            .hasCauseInstanceOf(SandboxException.class);
        assertThat(pair.client().ended().get(60, TimeUnit.SECONDS).cause())
            .isEqualTo(ChannelEnd.Cause.UNANSWERED);
        assertThat(Duration.ofNanos(System.nanoTime() - start))
            .isGreaterThan(Duration.ofMillis(1_900));
      }
    }

    @Test
    void aPingIsNoReasonToEndASilentAgent() throws Exception {
      ChannelFixture.Pair pair = fixture.connected();
      try (FakeAgent _ = pair.agent()) {
        assertThatThrownBy(() -> pair.client().ping(Duration.ofMillis(100)))
            .isInstanceOf(SandboxException.class);
        assertThat(pair.client().ended()).isNotDone();
      }
    }

    @Test
    void anAgentThatDoesNotReadIsNotWaitedForWithoutBounds() throws Exception {
      ChannelFixture.Pair pair = fixture.connected();
      ConnectedAgent client = (ConnectedAgent) pair.client();
      List<ObjectId> many = Collections.nCopies(2_000, ObjectId.random());
      try (FakeAgent _ = pair.agent()) {
        long highest = 0;
        for (int sent = 0; sent < 20_000 && !client.ended().isDone(); sent++) {
          client.acknowledge(many);
          highest = Math.max(highest, client.backlog());
        }
        assertThat(highest)
            .as("the bound and one message")
            .isBetween((long) SendQueue.MAX_BACKLOG, (long) SendQueue.MAX_BACKLOG + (64 << 10));
        assertThat(client.ended().get(5, TimeUnit.SECONDS).cause())
            .isEqualTo(ChannelEnd.Cause.RULE_BROKEN);
      }
    }

    private void endsIt(Misdeed misdeed) throws Exception {
      ChannelFixture.Pair pair = fixture.connected();
      try (FakeAgent agent = pair.agent()) {
        try {
          misdeed.commit(agent);
        } catch (IOException _) {
          // closed in the middle of it
        }
        assertThat(pair.client().ended().get(10, TimeUnit.SECONDS).cause())
            .isEqualTo(ChannelEnd.Cause.RULE_BROKEN);
      }
    }
  }

  @Test
  void randomFramesNeverHurtAnotherChannel() throws Exception {
    try (ChannelFixture other = new ChannelFixture()) {
      ChannelFixture.Pair good = other.connected();
      for (int seed = 0; seed < 150; seed++) {
        ChannelFixture.Pair bad = fixture.connected();
        try (FakeAgent agent = bad.agent()) {
          bad.client()
              .runCell(
                  new CellRequest(ObjectId.random(), "python", "x", 0, 100),
                  new RecordingListener());
          sendNonsense(agent, new Random(seed));
        } catch (IOException _) {
          // closed in the middle of it
        }
        assertThat(bad.client().ended().get(10, TimeUnit.SECONDS).cause())
            .as("seed %s", seed)
            .isIn(ChannelEnd.Cause.RULE_BROKEN, ChannelEnd.Cause.LOST);
      }
      CompletableFuture<Void> ping =
          CompletableFuture.runAsync(() -> good.client().ping(Duration.ofSeconds(5)));
      long id = good.agent().receive(FrameType.CONTROL).control().getId();
      good.agent().control(AgentControl.newBuilder().setId(id).setDone(Done.getDefaultInstance()));
      ping.get(5, TimeUnit.SECONDS);
    }
  }

  /// Frames that look right, of all types, with random streams and payloads.
  private static void sendNonsense(FakeAgent agent, Random random) throws IOException {
    FrameType[] types = FrameType.values();
    for (int i = 0; i < 60; i++) {
      FrameType type = types[random.nextInt(types.length)];
      byte[] payload = new byte[type == FrameType.END ? 0 : 1 + random.nextInt(40)];
      random.nextBytes(payload);
      int stream = type == FrameType.CONTROL ? 0 : random.nextInt(6);
      if (random.nextBoolean()) {
        agent.frame(stream, type, type == FrameType.DATA ? random.nextInt(2) : 0, payload);
      } else if (type == FrameType.EVENT || type == FrameType.RESET || type == FrameType.OPENED) {
        agent.frame(stream, type, 0, new byte[0]);
      }
    }
  }

  private static void openOutbound(FakeAgent agent, int stream, int window) throws IOException {
    connect(agent, stream, window, new byte[] {(byte) 192, 0, 2, 1}, 443);
  }

  private static void connect(FakeAgent agent, int stream, int window, byte[] address, int port)
      throws IOException {
    Connect.Builder connect =
        Connect.newBuilder().setAddress(ByteString.copyFrom(address)).setPort(port);
    agent.frame(
        stream,
        FrameType.OPEN,
        AgentOpen.newBuilder().setWindow(window).setConnect(connect).build());
  }
}
