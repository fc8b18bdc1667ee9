package dev.microsandbox.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.microsandbox.agent.wire.Credit;
import dev.microsandbox.agent.wire.FileWritten;
import dev.microsandbox.agent.wire.Finished;
import dev.microsandbox.agent.wire.Opened;
import dev.microsandbox.agent.wire.Reset;
import dev.microsandbox.agent.wire.ResetReason;
import dev.microsandbox.agent.wire.StreamEvent;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Files as streams, with an agent that keeps the rules and one that does not.
@Timeout(60)
class FileStreamTest {
  private static final Path RECORDED = Path.of("../../spec/vectors/channel/v1-files-agent.bin");

  private ChannelFixture fixture;
  private AgentClient client;
  private FakeAgent agent;

  @BeforeEach
  void open() throws Exception {
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
  void aDownloadGivesWhatCameAndGrantsWhatWasTaken() throws Exception {
    byte[] content = new byte[1_500_000];
    new Random(3).nextBytes(content);
    CompletableFuture<byte[]> read = async(() -> WholeFiles.read(client, "a"));
    FakeAgent.Frame open = agent.receive(FrameType.OPEN);
    assertThat(open.open().getDownloadFile().getPath()).isEqualTo("a");
    long credit = open.open().getWindow();
    agent.frame(open.stream(), FrameType.OPENED, sized(content.length));
    long granted = credit;
    for (int at = 0; at < content.length; ) {
      while (credit == 0) {
        int more = credit(agent.receive(FrameType.CREDIT));
        credit += more;
        granted += more;
      }
      int length = (int) Math.min(Math.min(credit, 65_536), content.length - at);
      agent.data(open.stream(), 0, java.util.Arrays.copyOfRange(content, at, at + length));
      at += length;
      credit -= length;
      assertThat(granted - at).as("the window").isLessThanOrEqualTo(ReceiveWindow.MAX);
    }
    agent.frame(open.stream(), FrameType.END, 0, new byte[0]);
    assertThat(read.get(10, TimeUnit.SECONDS)).isEqualTo(content);
  }

  @Test
  void whoTakesNothingIsSentNoMoreThanTheWindow() throws Exception {
    CompletableFuture<FileDownload> opening = async(() -> client.readFile("a", ""));
    FakeAgent.Frame open = agent.receive(FrameType.OPEN);
    agent.frame(open.stream(), FrameType.OPENED, sized(10_000_000));
    try (FileDownload file = opening.get(5, TimeUnit.SECONDS)) {
      int window = open.open().getWindow() + credit(agent.receive(FrameType.CREDIT));
      assertThat(window).isEqualTo(DownloadStream.WINDOW);
      for (int left = window; left > 0; left -= 65_536) {
        agent.data(open.stream(), 0, new byte[65_536]);
      }
      ByteBuffer first = file.next();
      assertThat(first).isNotNull();
      agent.data(open.stream(), 0, new byte[1]);
      assertThat(client.ended().get(5, TimeUnit.SECONDS).cause())
          .isEqualTo(ChannelEnd.Cause.RULE_BROKEN);
    }
  }

  @Test
  void anUploadIsSentUnderCreditAndIsThereWhenTheAgentSaysSo() throws Exception {
    byte[] content = new byte[300_000];
    new Random(4).nextBytes(content);
    CompletableFuture<String> written =
        async(() -> {
          WholeFiles.write(client, "a", content);
          return "written";
        });
    FakeAgent.Frame open = agent.receive(FrameType.OPEN);
    assertThat(open.open().getUploadFile().getMode()).isEqualTo(0644);
    agent.opened(open.stream(), 100_000);
    ByteBuffer got = ByteBuffer.allocate(content.length);
    while (got.hasRemaining()) {
      got.put(agent.receive(FrameType.DATA).payload());
      if (got.position() % 100_000 == 0 && got.hasRemaining()) {
        agent.frame(open.stream(), FrameType.CREDIT, Credit.newBuilder().setBytes(100_000).build());
      }
    }
    assertThat(got.array()).isEqualTo(content);
    agent.receive(FrameType.END);
    assertThat(written).isNotDone();
    fileWritten(open.stream(), content.length);
    agent.frame(open.stream(), FrameType.END, 0, new byte[0]);
    assertThat(written.get(5, TimeUnit.SECONDS)).isEqualTo("written");
  }

  @Test
  void anUploadThatIsClosedEarlyIsReset() throws Exception {
    CompletableFuture<FileUpload> opening = async(() -> client.writeFile("a", FileMode.DEFAULT));
    FakeAgent.Frame open = agent.receive(FrameType.OPEN);
    agent.opened(open.stream(), 100_000);
    FileUpload file = opening.get(5, TimeUnit.SECONDS);
    file.write(ByteBuffer.allocate(10));
    file.close();
    assertThat(agent.receive(FrameType.RESET).stream()).isEqualTo(open.stream());
  }

  @Test
  void aResetMidwayIsTheAgentsReasonAndEndsNothingElse() throws Exception {
    CompletableFuture<String> written =
        async(() -> {
          WholeFiles.write(client, "a", new byte[300_000]);
          return "written";
        });
    FakeAgent.Frame upload = agent.receive(FrameType.OPEN);
    agent.opened(upload.stream(), 100_000);
    agent.receive(FrameType.DATA);
    failed(upload.stream(), "disk_full");
    assertFails(written, ErrorCode.DISK_FULL);

    CompletableFuture<byte[]> read = async(() -> WholeFiles.read(client, "a"));
    FakeAgent.Frame download = agent.receive(FrameType.OPEN);
    agent.frame(download.stream(), FrameType.OPENED, sized(100));
    agent.data(download.stream(), 0, new byte[50]);
    failed(download.stream(), "invalid_request");
    assertFails(read, ErrorCode.INVALID_REQUEST);
    assertThat(client.ended()).isNotDone();
  }

  @Test
  void aCutChannelFailsBothWays() throws Exception {
    CompletableFuture<byte[]> read = async(() -> WholeFiles.read(client, "a"));
    agent.frame(agent.receive(FrameType.OPEN).stream(), FrameType.OPENED, sized(100));
    CompletableFuture<String> written =
        async(() -> {
          WholeFiles.write(client, "b", new byte[300_000]);
          return "written";
        });
    agent.opened(agent.receive(FrameType.OPEN).stream(), 1_000);
    agent.close();
    assertFails(read, ErrorCode.AGENT_LOST);
    assertFails(written, ErrorCode.AGENT_LOST);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "more than announced",
        "less than announced",
        "a size below zero",
        "opened twice",
        "data before opened",
        "the other lane",
        "data after end",
        "an event",
        "written",
      })
  void aDownloadThatBreaksARuleEndsTheChannel(String rule) throws Exception {
    CompletableFuture<byte[]> read = async(() -> WholeFiles.read(client, "a"));
    int stream = agent.receive(FrameType.OPEN).stream();
    if (!rule.equals("data before opened")) {
      agent.frame(stream, FrameType.OPENED, sized(rule.equals("a size below zero") ? -5 : 100));
    }
    switch (rule) {
      case "more than announced" -> agent.data(stream, 0, new byte[101]);
      case "less than announced" -> {
        agent.data(stream, 0, new byte[99]);
        agent.frame(stream, FrameType.END, 0, new byte[0]);
      }
      case "a size below zero" -> {}
      case "opened twice" -> agent.frame(stream, FrameType.OPENED, sized(100));
      case "data before opened" -> agent.data(stream, 0, new byte[1]);
      case "the other lane" -> agent.data(stream, 1, new byte[1]);
      case "data after end" -> {
        agent.data(stream, 0, new byte[99]);
        // In one piece: the host hangs up as soon as it has read the first of the two.
        ByteBuffer both = ByteBuffer.allocate(2 * Frames.HEADER + 1);
        Frames.putHeader(both, stream, FrameType.END, 0, 0);
        Frames.putHeader(both, stream, FrameType.DATA, 0, 1);
        agent.raw(both.array());
      }
      case "an event" -> agent.started(stream, 1);
      case "written" -> fileWritten(stream, 0);
      default -> throw new AssertionError(rule);
    }
    assertEndsTheChannel(read);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "written before the end",
        "another size",
        "data",
        "end without written",
        "opened twice",
        "a window beyond 1 MiB",
        "a run's event",
      })
  void anUploadThatBreaksARuleEndsTheChannel(String rule) throws Exception {
    CompletableFuture<String> written =
        async(() -> {
          WholeFiles.write(client, "a", new byte[1_000]);
          return "written";
        });
    int stream = agent.receive(FrameType.OPEN).stream();
    boolean early = rule.equals("written before the end");
    agent.opened(stream, early ? 500 : 1_000);
    agent.receive(early ? FrameType.DATA : FrameType.END);
    switch (rule) {
      case "written before the end" -> fileWritten(stream, 500);
      case "another size" -> fileWritten(stream, 999);
      case "data" -> agent.data(stream, 0, new byte[1]);
      case "end without written" -> agent.frame(stream, FrameType.END, 0, new byte[0]);
      case "opened twice" -> agent.opened(stream, 1);
      case "a window beyond 1 MiB" ->
          agent.frame(
              stream, FrameType.CREDIT, Credit.newBuilder().setBytes((1 << 20) + 1).build());
      case "a run's event" ->
          agent.event(stream, StreamEvent.newBuilder().setFinished(Finished.getDefaultInstance()));
      default -> throw new AssertionError(rule);
    }
    assertEndsTheChannel(written);
  }

  @Test
  void anEndlessFileIsTakenInPiecesForAsLongAsSomebodyWantsIt() throws Exception {
    CompletableFuture<FileDownload> opening = async(() -> client.readFile("a", ""));
    FakeAgent.Frame open = agent.receive(FrameType.OPEN);
    agent.frame(open.stream(), FrameType.OPENED, Opened.getDefaultInstance());
    try (FileDownload file = opening.get(5, TimeUnit.SECONDS)) {
      assertThat(file.size()).isEqualTo(-1);
      for (int i = 0; i < 200; i++) {
        agent.data(open.stream(), 0, new byte[65_536]);
        for (int left = 65_536; left > 0; ) {
          left -= Objects.requireNonNull(file.next()).remaining();
        }
      }
    }
    assertThat(agent.receive(FrameType.RESET).stream()).isEqualTo(open.stream());
  }

  private void assertEndsTheChannel(CompletableFuture<?> transfer) throws Exception {
    assertThat(client.ended().get(10, TimeUnit.SECONDS).cause())
        .isEqualTo(ChannelEnd.Cause.RULE_BROKEN);
    assertThatThrownBy(() -> WholeFiles.read(client, "b")).isInstanceOf(SandboxException.class);
    assertThat(transfer).failsWithin(java.time.Duration.ofSeconds(10));
  }

  private static void assertFails(CompletableFuture<?> transfer, ErrorCode code) {
    assertThatThrownBy(() -> transfer.get(10, TimeUnit.SECONDS))
        .cause()
        .isInstanceOfSatisfying(SandboxException.class, e -> assertThat(e.code()).isEqualTo(code));
  }

  private void fileWritten(int stream, long size) throws IOException {
    agent.event(
        stream, StreamEvent.newBuilder().setFileWritten(FileWritten.newBuilder().setSize(size)));
  }

  /// What an agent of this version once said of files must be understood for ever:
  /// `spec/vectors/channel/v1-files.md`.
  @Test
  void theFirstCarriersWordsAreUnderstood() throws Exception {
    CompletableFuture<Boolean> written =
        async(() -> {
          WholeFiles.write(client, "file", "recorded".getBytes(StandardCharsets.UTF_8));
          return true;
        });
    assertThat(agent.receive(FrameType.OPEN).stream()).isEqualTo(1);
    say(1, FrameType.OPENED);
    agent.receive(FrameType.END);
    say(1, FrameType.EVENT, FrameType.END);
    assertThat(written.get(30, TimeUnit.SECONDS)).isTrue();

    CompletableFuture<byte[]> read = async(() -> WholeFiles.read(client, "file"));
    assertThat(agent.receive(FrameType.OPEN).stream()).isEqualTo(3);
    say(3, FrameType.OPENED, FrameType.DATA, FrameType.END);
    assertThat(read.get(30, TimeUnit.SECONDS)).asString().isEqualTo("recorded");

    CompletableFuture<byte[]> none = async(() -> WholeFiles.read(client, "none"));
    assertThat(agent.receive(FrameType.OPEN).stream()).isEqualTo(5);
    say(5, FrameType.RESET);
    assertThatThrownBy(() -> none.get(30, TimeUnit.SECONDS))
        .cause()
        .isInstanceOfSatisfying(
            SandboxException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.NO_SUCH_FILE));
  }

  /// Says what was recorded on a stream, of these types.
  private void say(int stream, FrameType... types) throws Exception {
    ByteBuffer recorded =
        ByteBuffer.wrap(Files.readAllBytes(RECORDED)).position(Handshake.PREAMBLE);
    while (recorded.hasRemaining()) {
      int of = recorded.getInt();
      FrameType type = FrameType.of(recorded.get());
      int flags = recorded.get();
      short _ = recorded.getShort();
      byte[] payload = new byte[recorded.getInt()];
      recorded.get(payload);
      if (of == stream && List.of(types).contains(type)) {
        agent.frame(of, type, flags, payload);
      }
    }
  }

  private void failed(int stream, String code) throws IOException {
    Reset.Builder reset =
        Reset.newBuilder().setReason(ResetReason.RESET_REASON_FAILED).setCode(code);
    agent.frame(stream, FrameType.RESET, reset.build());
  }

  private static Opened sized(long size) {
    return Opened.newBuilder().setSize(size).build();
  }

  private static int credit(FakeAgent.Frame frame) {
    return frame.parsed(Credit.parser()).getBytes();
  }

  private static <T> CompletableFuture<T> async(Callable<T> what) {
    CompletableFuture<T> result = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(() -> {
          try {
            result.complete(what.call());
          } catch (Exception e) {
            result.completeExceptionally(e);
          }
        });
    return result;
  }
}
