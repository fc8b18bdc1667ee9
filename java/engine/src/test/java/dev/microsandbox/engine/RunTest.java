package dev.microsandbox.engine;

import static dev.microsandbox.engine.EngineFixture.ME;
import static dev.microsandbox.engine.EngineFixture.PATIENCE;
import static dev.microsandbox.engine.EngineFixture.until;
import static dev.microsandbox.engine.LifecycleTest.assertCode;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.microsandbox.model.EndReason;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.Outcome;
import dev.microsandbox.model.SandboxState;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class RunTest {
  @TempDir Path home;
  EngineFixture fixture;
  Engine engine;
  SandboxRef ref;

  @BeforeEach
  void open() {
    fixture = new EngineFixture(home);
    engine = fixture.engine;
    ref = fixture.createLasting("a");
  }

  @AfterEach
  void close() {
    fixture.close();
  }

  private static RunRequest request(String code, Duration timeout, boolean keepRunning) {
    return new RunRequest("python", code, timeout, keepRunning, null);
  }

  private RunHandle start(String code) {
    return engine.run(ME, ref, RunRequest.of("python", code));
  }

  @Test
  void aResultHasOutputValueAndOutcome() throws InterruptedException {
    RunResult result = fixture.run(ref, "print hello\nvalue 42");
    assertThat(result.outcome()).isEqualTo(Outcome.OK);
    assertThat(result.hasError()).isFalse();
    assertThat(result.stdout().text()).isEqualTo("hello\n");
    assertThat(result.stderr()).isEqualTo(RunResult.CollectedText.EMPTY);
    assertThat(result.result()).isEqualTo(Map.of("text/plain", "42"));
    assertThat(result.context()).isEqualTo("python");
    assertThat(result.exitCode()).isNull();
    assertThat(result.signal()).isNull();
  }

  @Test
  void aRunningSandboxNeedsNoWaiting() throws Exception {
    RunRequest request = RunRequest.of("python", "print hello");
    RunHandle run = engine.runNow(ME, ref, request).orElseThrow();
    assertThat(run.ended().get(10, TimeUnit.SECONDS).stdout().text()).isEqualTo("hello\n");
    engine.stop(ME, ref);
    assertThat(engine.runNow(ME, ref, request)).isEmpty();
  }

  @Test
  void whatACellRaisesIsAValue() throws InterruptedException {
    RunResult result = fixture.run(ref, "raise NameError");
    assertThat(result.outcome()).isEqualTo(Outcome.ERROR);
    assertThat(result.hasError()).isTrue();
    assertThat(result.error())
        .isEqualTo(new RunResult.RunError("NameError", "bad", "Traceback: NameError"));
  }

  @Test
  void anUnknownLanguageOrContextIsRefused() {
    assertCode(
        ErrorCode.UNKNOWN_LANGUAGE, () -> engine.run(ME, ref, RunRequest.of("node", "print x")));
    assertCode(
        ErrorCode.CONTEXT_NOT_FOUND, () -> engine.run(ME, ref, RunRequest.of("mine", "print x")));
  }

  @Test
  void aLongOutputKeepsItsFirstAndLastPart() throws InterruptedException {
    RunRequest request =
        new RunRequest("python", "print begin\nflood 5000000\nprint end", null, false, 1000);
    RunResult result = engine.run(ME, ref, request).await();
    assertThat(result.stdout().leftOut()).isEqualTo(6 + 5_000_000 + 4 - 1000);
    assertThat(result.stdout().text())
        .startsWith("begin\n")
        .contains("… 4999010 bytes left out …")
        .endsWith("end\n");
  }

  @Test
  void aCellOutOfTimeIsInterruptedAndItsSandboxLives() throws InterruptedException {
    RunResult result = engine.run(ME, ref, request("hang", Duration.ofMillis(50), false)).await();
    assertThat(result.outcome()).isEqualTo(Outcome.TIMED_OUT);
    assertThat(result.stateLost()).isFalse();
    assertThat(fixture.run(ref, "print hi").stdout().text()).isEqualTo("hi\n");
  }

  @Test
  void aCommandThatResistsIsKilledAndTimedOut() throws InterruptedException {
    CommandRequest request =
        new CommandRequest(
            List.of("resist"),
            Map.of(),
            "",
            "",
            new byte[0],
            false,
            Duration.ofMillis(50),
            false,
            null);
    RunResult result = engine.command(ME, ref, request).await();
    assertThat(result.outcome()).isEqualTo(Outcome.TIMED_OUT);
    assertThat(engine.get(ME, ref).state()).isEqualTo(SandboxState.RUNNING);
  }

  @Test
  void anAgentThatDoesNotEndACellInTimeIsLost() throws InterruptedException {
    RunResult result = engine.run(ME, ref, request("resist", Duration.ofMillis(50), false)).await();
    assertThat(result.outcome()).isEqualTo(Outcome.SANDBOX_ENDED);
    until(() -> engine.get(ME, ref).state() == SandboxState.STOPPED);
    assertThat(engine.get(ME, ref).endReason()).isEqualTo(EndReason.AGENT_LOST);
    assertThat(fixture.host.launches).isEmpty();
  }

  @Test
  void aCallerInterrupts() throws InterruptedException {
    RunHandle run = start("hang");
    run.interrupt();
    assertThat(run.await().outcome()).isEqualTo(Outcome.INTERRUPTED);
    RunHandle other = start("hang");
    engine.interrupt(ME, ref, other.id());
    assertThat(other.await().outcome()).isEqualTo(Outcome.INTERRUPTED);
  }

  @Test
  void aClientThatGoesAwayInterruptsUnlessItAskedOtherwise() throws InterruptedException {
    RunHandle run = start("hang");
    run.abandon();
    assertThat(run.await().outcome()).isEqualTo(Outcome.INTERRUPTED);
    RunHandle kept = engine.run(ME, ref, request("hang", Duration.ZERO, true));
    kept.abandon();
    Thread.sleep(300);
    kept.interrupt();
    assertThat(kept.await().outcome()).isEqualTo(Outcome.INTERRUPTED);
  }

  @Test
  void cellsOfAContextTakeTurnsAndTheirTimeBeginsWithTheirTurn() throws InterruptedException {
    RunHandle first = start("hang");
    RunHandle second = engine.run(ME, ref, request("print two", Duration.ofMillis(300), false));
    RunHandle third = start("print three");
    Thread.sleep(600);
    assertThat(fixture.sandbox(ref).inside.objects).hasSize(1);
    first.interrupt();
    assertThat(first.await().outcome()).isEqualTo(Outcome.INTERRUPTED);
    assertThat(second.await().outcome()).isEqualTo(Outcome.OK);
    assertThat(third.await().stdout().text()).isEqualTo("three\n");
  }

  @Test
  void aWaitingCellCanBeTakenBack() throws InterruptedException {
    RunHandle first = start("hang");
    RunHandle second = start("print two");
    second.interrupt();
    assertThat(second.await().outcome()).isEqualTo(Outcome.INTERRUPTED);
    first.interrupt();
    first.await();
    assertThat(fixture.run(ref, "print x").outcome()).isEqualTo(Outcome.OK);
    assertThat(fixture.sandbox(ref).inside.objects).doesNotContainKey(second.id());
  }

  @Test
  void theQueueOfAContextIsBounded() throws InterruptedException {
    List<RunHandle> all = new ArrayList<>();
    for (int i = 0; i < 65; i++) {
      all.add(start("hang"));
    }
    assertCode(ErrorCode.TOO_MANY_CELLS, () -> start("hang"));
    for (RunHandle each : all.reversed()) {
      each.interrupt();
    }
    for (RunHandle each : all) {
      assertThat(each.await().outcome()).isEqualTo(Outcome.INTERRUPTED);
    }
  }

  @Test
  void commandsAtOnceAreBounded() throws InterruptedException {
    List<RunHandle> all = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      all.add(engine.command(ME, ref, CommandRequest.of("hang")));
    }
    assertCode(
        ErrorCode.TOO_MANY_PROCESSES, () -> engine.command(ME, ref, CommandRequest.of("hang")));
    all.forEach(RunHandle::interrupt);
    for (RunHandle each : all) {
      each.await();
    }
    engine.command(ME, ref, CommandRequest.of("print", "x")).await();
  }

  @Test
  void aCommandsEndIsItsExitCode() throws InterruptedException {
    RunResult result = engine.command(ME, ref, CommandRequest.of("exit", "3")).await();
    assertThat(result.outcome()).isEqualTo(Outcome.EXITED);
    assertThat(result.exitCode()).isEqualTo(3);
    assertThat(result.hasError()).isTrue();
    RunResult good = engine.command(ME, ref, CommandRequest.of("print", "x")).await();
    assertThat(good.exitCode()).isZero();
    assertThat(good.hasError()).isFalse();
  }

  @Test
  void aProgramThatDoesNotExistIsAnError() {
    assertCode(
        ErrorCode.COMMAND_NOT_FOUND,
        () -> engine.command(ME, ref, CommandRequest.of("missing")).await());
  }

  @Test
  void aKillByTheKernelIsOutOfMemoryAndAnyOtherASignal() throws InterruptedException {
    RunResult killed = fixture.run(ref, "crash");
    assertThat(killed.outcome()).isEqualTo(Outcome.SIGNALED);
    assertThat(killed.signal()).isEqualTo(9);
    assertThat(killed.stateLost()).isTrue();
    FakeHost.FakeSandbox sandbox = fixture.sandbox(ref);
    RunStream stream = engine.stream(ME, ref, RunRequest.of("python", "hang"));
    assertThat(stream.next(PATIENCE)).isInstanceOf(RunEvent.Started.class);
    Thread.sleep(100);
    sandbox.oomKills.incrementAndGet();
    sandbox.agent().signal(stream.id(), 9, true);
    assertThat(stream.next(PATIENCE))
        .isInstanceOfSatisfying(
            RunEvent.Finished.class,
            end -> assertThat(end.outcome()).isEqualTo(Outcome.OUT_OF_MEMORY));
  }

  @Test
  void anOutOfMemorySandboxEndsItsRunsSo() throws InterruptedException {
    RunHandle run = start("hang");
    fixture.sandbox(ref).end(true);
    assertThat(run.await().outcome()).isEqualTo(Outcome.OUT_OF_MEMORY);
    until(() -> engine.get(ME, ref).state() == SandboxState.STOPPED);
    assertThat(engine.get(ME, ref).endReason()).isEqualTo(EndReason.OUT_OF_MEMORY);
  }

  @Test
  void aSandboxWhoseFirstProcessEndsIsStopped() throws InterruptedException {
    RunHandle run = start("hang");
    fixture.sandbox(ref).end(false);
    assertThat(run.await().outcome()).isEqualTo(Outcome.SANDBOX_ENDED);
    until(() -> engine.get(ME, ref).state() == SandboxState.STOPPED);
    assertThat(engine.get(ME, ref).endReason()).isEqualTo(EndReason.EXITED);
    engine.start(ME, ref);
    assertThat(fixture.run(ref, "print x").outcome()).isEqualTo(Outcome.OK);
  }

  @Test
  void aBrokenRuleEndsTheSandbox() throws InterruptedException {
    RunHandle run = start("hang");
    fixture.sandbox(ref).agent().breakRule();
    assertThat(run.await().outcome()).isEqualTo(Outcome.SANDBOX_ENDED);
    until(() -> engine.get(ME, ref).state() == SandboxState.STOPPED);
    assertThat(engine.get(ME, ref).endReason()).isEqualTo(EndReason.AGENT_LOST);
  }

  @Test
  void anAgentThatDialsAgainGoesOnWhereItStood() throws InterruptedException {
    RunStream stream = engine.stream(ME, ref, RunRequest.of("python", "print one\nhang"));
    assertThat(stream.next(PATIENCE)).isInstanceOf(RunEvent.Started.class);
    assertThat(stream.next(PATIENCE))
        .isInstanceOfSatisfying(
            RunEvent.Output.class, output -> assertThat(output.offset()).isZero());
    FakeAgent before = fixture.sandbox(ref).agent();
    before.cut();
    until(() -> fixture.sandbox(ref).agent() != before);
    stream.interrupt();
    assertThat(stream.next(PATIENCE))
        .isInstanceOfSatisfying(
            RunEvent.Finished.class,
            end -> assertThat(end.outcome()).isEqualTo(Outcome.INTERRUPTED));
    assertThat(fixture.run(ref, "print two").stdout().text()).isEqualTo("two\n");
  }

  @Test
  void anAgentThatDoesNotDialAgainIsLost() throws InterruptedException {
    RunHandle run = start("hang");
    fixture.sandbox(ref).answers = false;
    fixture.sandbox(ref).agent().cut();
    assertThat(run.await().outcome()).isEqualTo(Outcome.SANDBOX_ENDED);
    until(() -> engine.get(ME, ref).state() == SandboxState.STOPPED);
    assertThat(engine.get(ME, ref).endReason()).isEqualTo(EndReason.AGENT_LOST);
  }

  @Test
  void anotherAgentOnTheSameChannelIsNotBelieved() throws InterruptedException {
    fixture.sandbox(ref).inside.bootId = ObjectId.random().value();
    fixture.sandbox(ref).agent().cut();
    until(() -> engine.get(ME, ref).state() == SandboxState.STOPPED);
    assertThat(engine.get(ME, ref).endReason()).isEqualTo(EndReason.AGENT_LOST);
  }

  @Test
  void stoppingEndsRunsWithTheSandbox() throws InterruptedException {
    RunHandle run = start("hang");
    engine.stop(ME, ref);
    assertThat(run.await().outcome()).isEqualTo(Outcome.SANDBOX_ENDED);
  }

  @Test
  void aSlowReaderHoldsTheProgramUp() throws InterruptedException {
    RunStream stream = engine.stream(ME, ref, RunRequest.of("python", "flood 3000000"));
    Thread.sleep(300);
    long taken = 0;
    long largest = 0;
    RunEvent event = stream.next(PATIENCE);
    assertThat(event).isInstanceOf(RunEvent.Started.class);
    event = stream.next(PATIENCE);
    while (event instanceof RunEvent.Output output) {
      assertThat(output.offset()).isEqualTo(taken);
      taken = output.end();
      largest = Math.max(largest, output.bytes().length);
      event = stream.next(PATIENCE);
    }
    assertThat(taken).isEqualTo(3_000_000);
    assertThat(largest).isLessThanOrEqualTo(64 * 1024);
    assertThat(event).isInstanceOf(RunEvent.Finished.class);
    assertThat(stream.next(PATIENCE)).isNull();
  }

  @Test
  void aReaderThatTakesNothingDoesNotKeepARunFromEnding() throws InterruptedException {
    RunStream stream =
        engine.stream(ME, ref, request("flood 3000000\nhang", Duration.ofMillis(50), false));
    Thread.sleep(1500);
    assertThat(engine.get(ME, ref).state()).isEqualTo(SandboxState.RUNNING);
    RunEvent last = null;
    RunEvent event = stream.next(PATIENCE);
    while (event != null) {
      last = event;
      event = stream.next(PATIENCE);
    }
    assertThat(last)
        .isInstanceOfSatisfying(
            RunEvent.Finished.class, end -> assertThat(end.outcome()).isEqualTo(Outcome.TIMED_OUT));
  }

  @Test
  void patienceEndsWithoutAnEvent() throws InterruptedException {
    RunStream stream = engine.stream(ME, ref, RunRequest.of("python", "hang"));
    assertThat(stream.next(PATIENCE)).isInstanceOf(RunEvent.Started.class);
    assertThat(stream.next(Duration.ofMillis(20))).isNull();
    stream.abandon();
  }

  @Test
  void aRunCanBeWatchedAgainWhileItLivesAndAWhileAfter() throws InterruptedException {
    RunStream first = engine.stream(ME, ref, RunRequest.of("python", "print one\nhang"));
    RunStream second = engine.attach(ME, ref, first.id(), 0);
    assertThat(second.next(PATIENCE)).isInstanceOf(RunEvent.Started.class);
    assertThat(second.next(PATIENCE)).isInstanceOf(RunEvent.Output.class);
    first.abandon();
    assertThat(second.next(Duration.ofMillis(400))).isNull();
    second.abandon();
    RunStream third = engine.attach(ME, ref, first.id(), 2);
    assertThat(third.next(PATIENCE)).isInstanceOf(RunEvent.Started.class);
    assertThat(third.next(PATIENCE))
        .isInstanceOfSatisfying(
            RunEvent.Output.class,
            output -> assertThat(new String(output.bytes(), UTF_8)).isEqualTo("e\n"));
    assertThat(third.next(PATIENCE))
        .isInstanceOfSatisfying(
            RunEvent.Finished.class,
            end -> assertThat(end.outcome()).isEqualTo(Outcome.INTERRUPTED));
  }

  @Test
  void oldRunsAreForgottenHereAndInTheAgent() throws InterruptedException {
    RunHandle first = start("print x");
    first.await();
    for (int i = 0; i < 8; i++) {
      fixture.run(ref, "print x");
    }
    until(() -> fixture.sandbox(ref).inside.acknowledged.contains(first.id()));
    assertCode(ErrorCode.RUN_NOT_FOUND, () -> engine.attach(ME, ref, first.id(), 0));
    assertCode(ErrorCode.RUN_NOT_FOUND, () -> engine.attach(ME, ref, ObjectId.random(), 0));
  }

  @Test
  void contextsAreOpenedAndClosed() throws InterruptedException {
    ContextInfo opened =
        engine.openContext(
            ME,
            ref,
            new ContextSpec("mine", dev.microsandbox.model.Language.PYTHON, Map.of(), "", ""));
    assertThat(opened.id()).isEqualTo("mine");
    assertThat(engine.contexts(ME, ref)).extracting(ContextInfo::id).contains("python", "mine");
    RunHandle run = engine.run(ME, ref, RunRequest.of("mine", "print x"));
    assertThat(run.await().context()).isEqualTo("mine");
    engine.closeContext(ME, ref, "mine");
    assertCode(
        ErrorCode.CONTEXT_NOT_FOUND, () -> engine.run(ME, ref, RunRequest.of("mine", "print x")));
    assertCode(ErrorCode.INVALID_REQUEST, () -> engine.closeContext(ME, ref, "python"));
  }
}
