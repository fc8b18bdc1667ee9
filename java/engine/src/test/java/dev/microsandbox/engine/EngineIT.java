package dev.microsandbox.engine;

import static dev.microsandbox.engine.EngineFixture.until;
import static dev.microsandbox.engine.RealEngine.ME;
import static org.assertj.core.api.Assertions.assertThat;

import dev.microsandbox.isolation.TestParts;
import dev.microsandbox.linux.Trees;
import dev.microsandbox.model.EndReason;
import dev.microsandbox.model.ImageReference;
import dev.microsandbox.model.Outcome;
import dev.microsandbox.model.SandboxId;
import dev.microsandbox.model.SandboxState;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/// The whole engine on this host: containers, agent, images. Everything is made in a home of its
/// own and counted there.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
class EngineIT {
  private final Path home = RealEngine.newHome();
  private RealEngine server;
  private Engine engine;

  @BeforeAll
  void open() {
    server = new RealEngine(home);
    engine = server.engine;
  }

  @AfterAll
  void close() throws IOException {
    server.close();
    Trees.delete(home);
  }

  private SandboxId id(SandboxRef sandbox) {
    return engine.get(ME, sandbox).id();
  }

  private RunResult asRoot(SandboxRef sandbox, String script) throws InterruptedException {
    CommandRequest request =
        new CommandRequest(
            List.of("sh", "-c", script),
            Map.of(),
            "",
            "root",
            new byte[0],
            false,
            Duration.ofSeconds(10),
            false,
            null);
    return engine.command(ME, sandbox, request).await();
  }

  private void assertGone(SandboxId id) throws InterruptedException {
    until(() -> Leftovers.of(id, home).isEmpty());
  }

  @Test
  void stateIsKeptBetweenCells() throws InterruptedException {
    SandboxRef sandbox = server.create("state", true);
    server.python(sandbox, "x = 42");
    server.python(sandbox, "y = x * 2");
    RunResult result = server.python(sandbox, "print(f'Result: {y}')\ny + 1");
    assertThat(result.outcome()).isEqualTo(Outcome.OK);
    assertThat(result.stdout().text()).isEqualTo("Result: 84\n");
    assertThat(result.result()).containsEntry("text/plain", "85");
    engine.stop(ME, sandbox);
  }

  @Test
  void whatACellRaisesIsReported() throws InterruptedException {
    SandboxRef sandbox = server.create("raises", true);
    RunResult result = server.python(sandbox, "a = 1\ninvalid_code_here");
    assertThat(result.outcome()).isEqualTo(Outcome.ERROR);
    assertThat(java.util.Objects.requireNonNull(result.error()).name()).isEqualTo("NameError");
    assertThat(server.python(sandbox, "print(a)").stdout().text()).isEqualTo("1\n");
    engine.stop(ME, sandbox);
  }

  /// Which the agent then uses: it is of its own text, and nobody inside can change it.
  @Test
  void pythonsDriverIsThereCompiled() throws Exception {
    SandboxRef sandbox = server.create("driver", true);
    RunResult read =
        server.python(
            sandbox,
            """
            import hashlib
            whole = open('/.msb/python-driver', 'rb').read()
            source = whole[5 : 5 + int.from_bytes(whole[1:5], 'big')]
            hashlib.sha256(source).hexdigest()
            """);
    Path source = TestParts.agent().resolve("../../../repl/driver.py").normalize();
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(source));
    assertThat(read.result())
        .containsEntry("text/plain", "'" + HexFormat.of().formatHex(digest) + "'");
    String attack = "echo x >/.msb/python-driver; rm -f /.msb/python-driver";
    assertThat(asRoot(sandbox, attack).stderr().text().lines())
        .hasSize(2)
        .allMatch(line -> line.matches(".*(Read-only|busy|denied|not permitted).*"));
    engine.stop(ME, sandbox);
  }

  @Test
  void nodeRunsAsWell() throws InterruptedException {
    SandboxRef sandbox =
        SandboxRef.of(engine.create(ME, RealEngine.spec("node", ImageReference.NODE, true)).id());
    engine.run(ME, sandbox, RunRequest.of("node", "const a = 20")).await();
    RunResult result =
        engine.run(ME, sandbox, RunRequest.of("javascript", "console.log(a + 1); a * 2")).await();
    assertThat(result.stdout().text()).isEqualTo("21\n");
    assertThat(result.result()).containsEntry("text/plain", "40");
    engine.stop(ME, sandbox);
  }

  @Test
  void aCellOutOfTimeIsStoppedAndStateIsKept() throws InterruptedException {
    SandboxRef sandbox = server.create("time", true);
    server.python(sandbox, "x = 7");
    long start = System.nanoTime();
    RunResult result = server.python(sandbox, "while True: pass", Duration.ofMillis(500));
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
    assertThat(result.outcome()).isEqualTo(Outcome.TIMED_OUT);
    assertThat(result.stateLost()).isFalse();
    assertThat(server.python(sandbox, "print(x)").stdout().text()).isEqualTo("7\n");
    engine.stop(ME, sandbox);
  }

  @Test
  void aKilledInterpreterIsReplaced() throws InterruptedException {
    SandboxRef sandbox = server.create("killed", true);
    server.python(sandbox, "x = 7");
    RunResult result = server.python(sandbox, "import os; os.kill(os.getpid(), 9)");
    assertThat(result.outcome()).isEqualTo(Outcome.SIGNALED);
    assertThat(result.signal()).isEqualTo(9);
    assertThat(result.stateLost()).isTrue();
    assertThat(server.python(sandbox, "print('x' in globals())").stdout().text())
        .isEqualTo("False\n");
    engine.stop(ME, sandbox);
  }

  @Test
  void aMemoryBombIsOutOfMemoryAndTheSandboxLives() throws InterruptedException {
    SandboxRef sandbox = server.create("memory", true);
    RunResult result = server.python(sandbox, "b = []\nwhile True: b.append(bytearray(8 << 20))");
    assertThat(result.outcome()).isEqualTo(Outcome.OUT_OF_MEMORY);
    assertThat(result.stateLost()).isTrue();
    assertThat(server.python(sandbox, "print(1)").stdout().text()).isEqualTo("1\n");
    engine.stop(ME, sandbox);
  }

  @Test
  void aForkBombHurtsNobodyElse() throws InterruptedException {
    SandboxRef neighbour = server.create("neighbour", true);
    SandboxRef sandbox = server.create("forks", true);
    SandboxId id = id(sandbox);
    RunHandle bomb =
        engine.command(
            ME,
            sandbox,
            CommandRequest.of("sh", "-c", "b() { b | b & }; b; sleep 1; echo survived"));
    Thread.sleep(1500);
    assertThat(engine.metrics(ME, sandbox).processes()).isLessThanOrEqualTo(100);
    assertThat(server.python(neighbour, "print(1)").stdout().text()).isEqualTo("1\n");
    long start = System.nanoTime();
    engine.delete(ME, sandbox);
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(30));
    bomb.await();
    assertGone(id);
    engine.stop(ME, neighbour);
  }

  @Test
  void theAgentCannotBeKilledFromInside() throws InterruptedException {
    SandboxRef sandbox = server.create("kill", true);
    for (String signal : List.of("KILL", "STOP", "TERM", "INT", "ABRT")) {
      server.command(sandbox, "sh", "-c", "kill -" + signal + " 1");
    }
    asRoot(sandbox, "kill -KILL 1; kill -STOP 1; true");
    server.command(sandbox, "sh", "-c", "kill -KILL -1");
    // The interpreter is among the killed: a cell that comes before that is noticed goes with it.
    assertThat(server.python(sandbox, "1").outcome()).isIn(Outcome.OK, Outcome.SIGNALED);
    assertThat(server.python(sandbox, "print(1)").stdout().text()).isEqualTo("1\n");
    engine.stop(ME, sandbox);
  }

  @Test
  void anAgentThatIsGoneEndsItsSandbox() throws InterruptedException {
    SandboxRef sandbox = server.create("gone", false);
    SandboxId id = id(sandbox);
    RunHandle run = engine.run(ME, sandbox, RunRequest.of("python", "while True: pass"));
    Thread.sleep(300);
    ProcessHandle.of(Leftovers.firstProcess(id)).orElseThrow().destroyForcibly();
    long start = System.nanoTime();
    assertThat(run.await().outcome()).isEqualTo(Outcome.SANDBOX_ENDED);
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
    until(() -> engine.get(ME, sandbox).state() == SandboxState.STOPPED);
    assertThat(engine.get(ME, sandbox).endReason()).isIn(EndReason.EXITED, EndReason.AGENT_LOST);
    engine.start(ME, sandbox);
    assertThat(server.python(sandbox, "print(1)").stdout().text()).isEqualTo("1\n");
    engine.delete(ME, sandbox);
    assertGone(id);
  }

  @Test
  void endlessOutputIsBounded() throws InterruptedException {
    SandboxRef sandbox = server.create("flood", true);
    RunResult result =
        server.python(sandbox, "while True: print('y' * 1000)", Duration.ofSeconds(2));
    assertThat(result.outcome()).isEqualTo(Outcome.TIMED_OUT);
    assertThat(result.stdout().leftOut()).isPositive();
    assertThat(result.stdout().text().length()).isLessThan(1_100_000);
    RunResult command =
        engine
            .command(
                ME,
                sandbox,
                new CommandRequest(
                    List.of("yes"),
                    Map.of(),
                    "",
                    "",
                    new byte[0],
                    false,
                    Duration.ofSeconds(1),
                    false,
                    1000))
            .await();
    assertThat(command.outcome()).isEqualTo(Outcome.TIMED_OUT);
    assertThat(command.stdout().text().length()).isLessThan(1100);
    assertThat(server.python(sandbox, "print(1)").stdout().text()).isEqualTo("1\n");
    engine.stop(ME, sandbox);
  }

  @Test
  void aReaderThatStopsReadingHoldsTheProgramUpAndItCanStillBeStopped()
      throws InterruptedException {
    SandboxRef sandbox = server.create("slow", true);
    RunStream stream =
        engine.stream(ME, sandbox, RunRequest.of("python", "i = 0\nwhile True: print(i); i += 1"));
    assertThat(stream.next(Duration.ofSeconds(10))).isInstanceOf(RunEvent.Started.class);
    Thread.sleep(1000);
    stream.interrupt();
    RunEvent last = null;
    for (RunEvent event = stream.next(Duration.ofSeconds(10));
        event != null;
        event = stream.next(Duration.ofSeconds(10))) {
      last = event;
    }
    assertThat(last)
        .isInstanceOfSatisfying(
            RunEvent.Finished.class,
            end -> assertThat(end.outcome()).isEqualTo(Outcome.INTERRUPTED));
    assertThat(server.python(sandbox, "print(i > 0)").stdout().text()).isEqualTo("True\n");
    engine.stop(ME, sandbox);
  }

  @Test
  void commandsHaveTheirExitCodeEnvironmentInputAndUser() throws InterruptedException {
    SandboxRef sandbox = server.create("commands", true);
    assertThat(server.command(sandbox, "sh", "-c", "exit 3").exitCode()).isEqualTo(3);
    CommandRequest request =
        new CommandRequest(
            List.of("sh", "-c", "echo $GREETING $MORE; pwd; id -un; cat; echo oops >&2"),
            Map.of("MORE", "world"),
            "/tmp",
            "",
            "input\n".getBytes(StandardCharsets.UTF_8),
            false,
            null,
            false,
            null);
    RunResult result = engine.command(ME, sandbox, request).await();
    assertThat(result.stdout().text()).isEqualTo("hello world\n/tmp\nsandbox\ninput\n");
    assertThat(result.stderr().text()).isEqualTo("oops\n");
    assertThat(server.command(sandbox, "sh", "-c", "hostname; cat /etc/hostname").stdout().text())
        .isEqualTo("commands\ncommands\n");
    engine.stop(ME, sandbox);
  }

  @Test
  void filesAreWrittenAndRead() throws InterruptedException {
    SandboxRef sandbox = server.create("files", true);
    byte[] content = new byte[20_000_000];
    new java.util.Random(1).nextBytes(content);
    WholeFiles.write(engine.writeFile(ME, sandbox, FileWrite.of("a/b/c.bin")), content);
    assertThat(WholeFiles.read(engine.readFile(ME, sandbox, "a/b/c.bin", ""))).isEqualTo(content);
    try (FileSink given = engine.writeFile(ME, sandbox, FileWrite.of("a/b/given-up"))) {
      given.write(java.nio.ByteBuffer.wrap(content));
    }
    assertThat(server.command(sandbox, "ls", "-A", "a/b").stdout().text()).isEqualTo("c.bin\n");
    assertThat(server.command(sandbox, "sh", "-c", "wc -c < a/b/c.bin").stdout().text().strip())
        .isEqualTo("20000000");
    engine.stop(ME, sandbox);
  }

  @Test
  void stopKeepsTheDiskAndDeleteLeavesNothing() throws InterruptedException {
    SandboxRef sandbox = server.create("disk", false);
    SandboxId id = id(sandbox);
    server.command(sandbox, "sh", "-c", "echo kept > note");
    engine.stop(ME, sandbox);
    assertThat(Leftovers.of(id, home)).allMatch(line -> line.startsWith("file "));
    engine.start(ME, sandbox);
    assertThat(server.command(sandbox, "cat", "note").stdout().text()).isEqualTo("kept\n");
    assertThat(Leftovers.of(id, home)).isNotEmpty();
    engine.delete(ME, sandbox);
    assertGone(id);
  }

  @Test
  void aClientThatGoesAwayInterrupts() throws InterruptedException {
    SandboxRef sandbox = server.create("away", true);
    server.python(sandbox, "x = 5");
    RunHandle run = engine.run(ME, sandbox, RunRequest.of("python", "while True: pass"));
    Thread.sleep(200);
    run.abandon();
    assertThat(run.await().outcome()).isEqualTo(Outcome.INTERRUPTED);
    assertThat(server.python(sandbox, "print(x)").stdout().text()).isEqualTo("5\n");
    engine.stop(ME, sandbox);
  }

  @Test
  void aFullDiskInsideStaysInside() throws InterruptedException {
    SandboxRef sandbox = server.create("full", true);
    RunResult result =
        server.command(sandbox, "sh", "-c", "dd if=/dev/zero of=big bs=1M count=1000 2>&1");
    assertThat(result.stdout().text()).contains("No space left on device");
    assertThat(engine.metrics(ME, sandbox).disk().mib()).isLessThanOrEqualTo(260);
    assertThat(server.python(sandbox, "print(1)").stdout().text()).isEqualTo("1\n");
    engine.stop(ME, sandbox);
  }
}
