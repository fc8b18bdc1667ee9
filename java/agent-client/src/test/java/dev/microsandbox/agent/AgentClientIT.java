package dev.microsandbox.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.microsandbox.model.ByteSize;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.Language;
import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.Outcome;
import dev.microsandbox.model.SandboxException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Against the real agent, with this host's own interpreters.
@Timeout(120)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AgentClientIT {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  @TempDir Path folder;
  private ChannelFixture fixture;
  private RealAgent agent;
  private AgentClient client;

  @BeforeAll
  void start() throws IOException {
    fixture = new ChannelFixture();
    agent = RealAgent.start(fixture);
    client =
        fixture.channels.connect(fixture.sandbox, fixture.transport, PATIENCE, fixture, fixture);
    client
        .configure(
            new SandboxConfiguration(
                "box",
                Map.of("GREETING", "hi"),
                false,
                Map.of(),
                new byte[0],
                List.of(),
                List.of(Language.PYTHON),
                List.of()),
            Duration.ofSeconds(10))
        .join();
  }

  @AfterAll
  void stop() throws IOException {
    agent.close();
    fixture.close();
  }

  @Test
  void cellsKeepTheirStateAndTheirOrder() throws Exception {
    run("python", "x = 20");
    RecordingListener second =
        run("python", "import sys\nprint('a')\nprint('b', file=sys.stderr)\nx + 22");
    assertThat(second.stdout()).isEqualTo("a\n");
    assertThat(second.stderr()).isEqualTo("b\n");
    assertThat(second.events()).startsWith("started").endsWith("finished").contains("result 42");
  }

  @Test
  void anErrorInACellIsAnOutcome() throws Exception {
    RecordingListener listener = run("python", "1 / 0");
    assertThat(listener.awaitEnd().outcome()).isEqualTo(Outcome.ERROR);
    assertThat(listener.events()).contains("error ZeroDivisionError: division by zero");
  }

  @Test
  void nodeCellsRun() throws Exception {
    assertThat(run("node", "console.log('Hello from Node.js!')").stdout())
        .isEqualTo("Hello from Node.js!\n");
  }

  @Test
  void aCellOfMegabytesIsCarriedWhole() throws Exception {
    String code = "s = '" + "é".repeat(1_500_000) + "'\nprint(len(s))";
    assertThat(run("python", code).stdout()).isEqualTo("1500000\n");
  }

  @Test
  void commandsHaveOutputInputAndExitCodes() throws Exception {
    RecordingListener listener = new RecordingListener();
    ObjectStream view =
        client.startProcess(command(true, "sh", "-c", "cat; echo $GREETING >&2; exit 3"), listener);
    view.write(ByteBuffer.wrap("input".getBytes(StandardCharsets.UTF_8)));
    view.endInput();
    ObjectEnd end = listener.awaitEnd();
    assertThat(end.outcome()).isEqualTo(Outcome.EXITED);
    assertThat(end.exitCode()).isEqualTo(3);
    assertThat(listener.stdout()).isEqualTo("input");
    assertThat(listener.stderr()).isEqualTo("hi\n");
  }

  @Test
  void aCommandThatDoesNotExistIsRefused() {
    RecordingListener listener = new RecordingListener();
    client.startProcess(command(false, "no-such-program"), listener);
    assertThatThrownBy(listener::awaitEnd)
        .cause()
        .isInstanceOfSatisfying(
            SandboxException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.COMMAND_NOT_FOUND));
  }

  @Test
  void signalsReachAProcess() throws Exception {
    RecordingListener listener = new RecordingListener();
    ObjectStream view = client.startProcess(command(false, "sleep", "60"), listener);
    listener.awaitStarted();
    client.signal(view.id(), 15, true);
    assertThat(listener.awaitEnd().outcome()).isEqualTo(Outcome.SIGNALED);
    assertThat(listener.awaitEnd().signal()).isEqualTo(15);
  }

  @Test
  void anInterruptedCellEndsAndItsContextLives() throws Exception {
    run("python", "kept = 7");
    RecordingListener listener = new RecordingListener();
    ObjectStream view =
        client.runCell(cell("python", "import time\nwhile True: time.sleep(0.01)"), listener);
    listener.awaitStarted();
    client
        .interrupt(view.id(), InterruptCause.TIMEOUT, Duration.ofSeconds(2))
        .get(5, TimeUnit.SECONDS);
    assertThat(listener.awaitEnd().outcome()).isEqualTo(Outcome.TIMED_OUT);
    assertThat(run("python", "kept").events()).contains("result 7");
  }

  @Test
  void filesAreWrittenAndReadWhole() throws Exception {
    byte[] content = new byte[20_000_000];
    new Random(7).nextBytes(content);
    Path file = folder.resolve("deep/er/file");
    WholeFiles.write(client, file.toString(), content);
    assertThat(Files.readAllBytes(file)).isEqualTo(content);
    assertThat(WholeFiles.read(client, file.toString())).isEqualTo(content);
    assertThatThrownBy(() -> client.readFile(folder.resolve("none").toString(), ""))
        .isInstanceOfSatisfying(
            SandboxException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.NO_SUCH_FILE));
  }

  @Test
  void anEmptyFileIsWrittenToo() throws Exception {
    Path file = folder.resolve("empty");
    WholeFiles.write(client, file.toString(), new byte[0]);
    assertThat(file).isEmptyFile();
    assertThat(WholeFiles.read(client, file.toString())).isEmpty();
  }

  @Test
  void anUploadThatIsGivenUpLeavesNothing() throws Exception {
    Path within = Files.createDirectory(folder.resolve("given-up"));
    try (FileUpload file = client.writeFile(within.resolve("file").toString(), FileMode.DEFAULT)) {
      file.write(ByteBuffer.wrap(new byte[1_000_000]));
    }
    WholeFiles.write(client, within.resolve("later").toString(), new byte[1]);
    assertThat(within)
        .isDirectoryContaining("glob:**/later")
        .isDirectoryNotContaining("glob:**file*");
  }

  @Test
  void aFileOfUnknownSizeIsReadToItsEnd() {
    try (FileDownload file = client.readFile("/proc/self/status", "")) {
      assertThat(file.size()).isEqualTo(-1);
      assertThat(new String(WholeFiles.rest(file), StandardCharsets.UTF_8)).startsWith("Name:");
    }
  }

  @Test
  void contextsAreOpenedAndClosed() throws Exception {
    client.openContext(new ContextRequest("second", Language.PYTHON, Map.of("A", "1"), "", ""));
    assertThat(run("second", "import os\nprint(os.environ['A'])").stdout()).isEqualTo("1\n");
    client.closeContext("second");
    RecordingListener gone = new RecordingListener();
    client.runCell(cell("second", "1"), gone);
    assertThatThrownBy(gone::awaitEnd).hasCauseInstanceOf(SandboxException.class);
  }

  @Test
  void statusAndPingAnswer() {
    client.ping(PATIENCE);
    assertThat(client.status().diskTotal()).isGreaterThan(new ByteSize(0));
  }

  @Test
  void aFloodOf200MegabytesPassesInBoundedMemory() throws Exception {
    int window = 64 * 1024;
    long total = 200L * 1000 * 1000;
    CountingListener listener = new CountingListener();
    long start = System.nanoTime();
    ObjectStream view =
        client.startProcess(
            new ProcessRequest(
                ObjectId.random(),
                List.of("head", "-c", Long.toString(total), "/dev/zero"),
                Map.of(),
                "",
                "",
                false,
                0,
                window),
            listener);
    listener.view.complete(view);
    assertThat(listener.end.get(60, TimeUnit.SECONDS).outputEnd()).isEqualTo(total);
    assertThat(listener.bytes).isEqualTo(total);
    assertThat(listener.largestUngranted).isLessThanOrEqualTo(window);
    System.out.printf(
        "200 MB of output: %.0f MB/s%n", total / 1e6 / ((System.nanoTime() - start) / 1e9));
  }

  @Test
  void aProgramWaitsForAViewerThatGrantsNothing() throws Exception {
    CountingListener listener = new CountingListener();
    ObjectStream view =
        client.startProcess(
            new ProcessRequest(
                ObjectId.random(), List.of("yes"), Map.of(), "", "", false, 0, 10_000),
            listener);
    Thread.sleep(500);
    assertThat(listener.bytes).isEqualTo(10_000);
    client.signal(view.id(), 9, true);
    view.close();
  }

  @Test
  void aViewIsTakenUpAgainAfterAReconnection() throws Exception {
    try (ChannelFixture own = new ChannelFixture();
        RealAgent another = RealAgent.start(own)) {
      AgentClient first = own.channels.connect(own.sandbox, own.transport, PATIENCE, own, own);
      RecordingListener before = new RecordingListener();
      ObjectId id =
          first
              .startProcess(
                  command(false, "sh", "-c", "echo one; sleep 1; echo two; exit 4"), before)
              .id();
      while (before.stdout().isEmpty()) {
        Thread.sleep(5);
      }
      first.close();
      AgentClient second = own.channels.connect(own.sandbox, own.transport, PATIENCE, own, own);
      assertThat(second.hello().bootId()).isEqualTo(first.hello().bootId());
      assertThat(second.hello().objects())
          .extracting(AgentHello.KnownObject::id)
          .containsExactly(id);
      RecordingListener after = new RecordingListener();
      second.attach(id, 4, after);
      assertThat(after.awaitEnd().exitCode()).isEqualTo(4);
      assertThat(after.awaitOpened()).isEqualTo(4);
      assertThat(after.stdout()).isEqualTo("two\n");
      second.acknowledge(List.of(id));
      RecordingListener forgotten = new RecordingListener();
      second.attach(id, 0, forgotten);
      assertThatThrownBy(forgotten::awaitEnd)
          .cause()
          .isInstanceOfSatisfying(
              SandboxException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.RUN_NOT_FOUND));
      assertThat(another.handle().isAlive()).isTrue();
    }
  }

  @Test
  void aKilledAgentIsNoticed() throws Exception {
    try (ChannelFixture own = new ChannelFixture();
        RealAgent victim = RealAgent.start(own)) {
      AgentClient connection = own.channels.connect(own.sandbox, own.transport, PATIENCE, own, own);
      victim.handle().destroyForcibly();
      assertThat(connection.ended().get(30, TimeUnit.SECONDS).cause())
          .isEqualTo(ChannelEnd.Cause.LOST);
    }
  }

  @Test
  void shutdownEndsTheAgent() throws Exception {
    try (ChannelFixture own = new ChannelFixture();
        RealAgent another = RealAgent.start(own)) {
      AgentClient connection = own.channels.connect(own.sandbox, own.transport, PATIENCE, own, own);
      connection.shutdown(Duration.ofSeconds(1));
      another.handle().onExit().get(10, TimeUnit.SECONDS);
      connection.ended().get(5, TimeUnit.SECONDS);
    }
  }

  private RecordingListener run(String context, String code) throws Exception {
    RecordingListener listener = new RecordingListener();
    client.runCell(cell(context, code), listener);
    listener.awaitEnd();
    return listener;
  }

  private static CellRequest cell(String context, String code) {
    return new CellRequest(ObjectId.random(), context, code, 0, 1 << 16);
  }

  private static ProcessRequest command(boolean stdin, String... argv) {
    return new ProcessRequest(
        ObjectId.random(), List.of(argv), Map.of(), "", "", stdin, 0, 1 << 16);
  }

  /// Takes output at once where it has a view to grant on, and counts what it holds.
  private static final class CountingListener implements ObjectListener {
    final CompletableFuture<ObjectStream> view = new CompletableFuture<>();
    final CompletableFuture<ObjectEnd> end = new CompletableFuture<>();
    // Written by the reading thread alone, read by the test after the end.
    volatile long bytes;
    volatile long largestUngranted;
    private long ungranted;

    @Override
    public void onStarted(int pid, int cellNumber) {}

    @Override
    public void onOutput(Lane lane, ByteBuffer output) {
      int count = output.remaining();
      bytes += count;
      ungranted += count;
      largestUngranted = Math.max(largestUngranted, ungranted);
      ObjectStream granting = view.getNow(null);
      if (granting != null) {
        granting.grant((int) ungranted);
        ungranted = 0;
      }
    }

    @Override
    public void onResult(Map<String, String> data, List<String> omitted) {}

    @Override
    public void onError(String name, String message, String traceback) {}

    @Override
    public void onFinished(ObjectEnd outcome) {
      end.complete(outcome);
    }

    @Override
    public void onLost(SandboxException reason) {
      end.completeExceptionally(reason);
    }
  }
}
