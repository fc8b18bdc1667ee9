package dev.microsandbox.engine;

import static dev.microsandbox.engine.EngineFixture.ME;
import static dev.microsandbox.engine.EngineFixture.PATIENCE;
import static dev.microsandbox.engine.EngineFixture.spec;
import static dev.microsandbox.engine.EngineFixture.until;
import static dev.microsandbox.engine.LifecycleTest.assertCode;
import static org.assertj.core.api.Assertions.assertThat;

import dev.microsandbox.model.EndReason;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.Language;
import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.Outcome;
import dev.microsandbox.model.SandboxState;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A server that was killed while sandboxes ran, and the next one, which goes on with them. The
/// database is a real file; host and agents are fakes that outlive engines.
@Timeout(300)
class AdoptionTest {
  @TempDir Path home;
  @TempDir Path second;
  private EngineFixture before;

  @BeforeEach
  void open() {
    before = new EngineFixture(home, Map.of("shutdown-timeout", "0.1"));
  }

  @AfterEach
  void close() {
    before.host.hooks.clear();
    before.close();
  }

  private EngineFixture next() {
    before.engine.journal().write();
    return before.afterKill(second);
  }

  @Nested
  class ASandboxThatRuns {
    @Test
    void goesOnWhetherEphemeralOrNot() throws InterruptedException {
      SandboxRef ephemeral = before.create("ephemeral");
      SandboxRef lasting = before.createLasting("lasting");
      try (EngineFixture after = next()) {
        for (SandboxRef ref : List.of(ephemeral, lasting)) {
          assertThat(after.run(ref, "print on").stdout().text()).isEqualTo("on\n");
          assertThat(after.engine.get(ME, ref).state()).isEqualTo(SandboxState.RUNNING);
        }
        assertThat(after.host.launched).as("nothing was launched anew").hasValue(2);
        assertThat(after.engine.status().running()).isEqualTo(2);
      }
    }

    @Test
    void hasItsContextsStillAndNoneThatNobodyCouldHaveOpened() throws InterruptedException {
      SandboxRef ref = before.create("a");
      before.engine.openContext(
          ME, ref, new ContextSpec("mine", Language.PYTHON, Map.of(), "", ""));
      var contexts = before.sandbox(ref).inside.contexts;
      contexts.put("ruby", new dev.microsandbox.agent.ContextInfo("ruby", "ruby", "1", true));
      contexts.put("node", new dev.microsandbox.agent.ContextInfo("node", "node", "1", true));
      contexts.put("../x", new dev.microsandbox.agent.ContextInfo("../x", "python", "1", true));
      try (EngineFixture after = next()) {
        assertThat(
                after.engine.run(ME, ref, RunRequest.of("mine", "print x")).await().stdout().text())
            .isEqualTo("x\n");
        assertThat(after.engine.contexts(ME, ref))
            .extracting(ContextInfo::id)
            .containsExactly("python", "mine");
      }
    }

    @Test
    void isWaitedForByWhoNeedsIt() throws Exception {
      SandboxRef ref = before.create("a");
      before.engine.journal().write();
      CountDownLatch taken = new CountDownLatch(1);
      EngineFixture after =
          before.afterKill(
              second, host -> host.at(FakeHost.Step.ADOPT, _ -> awaitUninterruptibly(taken)));
      try (after) {
        assertThat(after.engine.get(ME, ref).state()).isEqualTo(SandboxState.RUNNING);
        assertThat(after.engine.status().running()).as("it is counted").isEqualTo(1);
        Thread release = Thread.ofVirtual().unstarted(taken::countDown);
        release.start();
        assertThat(after.run(ref, "print on").stdout().text()).isEqualTo("on\n");
      }
    }

    @Test
    void isStoppedAndDeletedAsAnyOther() {
      SandboxRef ref = before.createLasting("a");
      try (EngineFixture after = next()) {
        assertThat(after.engine.stop(ME, ref).endReason()).isEqualTo(EndReason.STOPPED);
        after.engine.start(ME, ref);
        after.engine.delete(ME, ref);
        assertThat(after.host.leftovers()).isEmpty();
      }
    }

    @Test
    void isTakenOverFromServerToServer(@TempDir Path third) throws InterruptedException {
      SandboxRef ref = before.create("a");
      try (EngineFixture after = next()) {
        after.run(ref, "print one");
        try (EngineFixture last = after.afterKill(third)) {
          assertThat(last.run(ref, "print two").stdout().text()).isEqualTo("two\n");
        }
      }
    }

    @Test
    void expiresThoughNoServerLooked() throws InterruptedException {
      before.engine.create(ME, spec(ME.owner(), "a", false, Duration.ofMinutes(5)));
      EngineFixture after = next();
      try (after) {
        after.clock.advance(Duration.ofMinutes(6));
        after.engine.sweep();
        until(() -> after.engine.list(ME, SandboxFilter.ALL).isEmpty());
        until(() -> after.host.leftovers().isEmpty());
      }
    }

    @Test
    void isIdleSinceItWasLastUsedUnderAnyServer() throws InterruptedException {
      SandboxRef ref = before.createLasting("a");
      before.run(ref, "print x");
      before.clock.advance(Duration.ofMinutes(40));
      try (EngineFixture after = next()) {
        until(() -> isSettled(after, ref));
        after.clock.advance(Duration.ofMinutes(30));
        after.engine.sweep();
        until(() -> after.engine.get(ME, ref).state() == SandboxState.STOPPED);
        assertThat(after.engine.get(ME, ref).endReason()).isEqualTo(EndReason.IDLE);
      }
    }
  }

  @Nested
  class OneThatEndedMeanwhile {
    private EndReason reasonAfter(Runnable meanwhile, SandboxRef ref) throws InterruptedException {
      meanwhile.run();
      try (EngineFixture after = next()) {
        until(() -> after.engine.get(ME, ref).state() == SandboxState.STOPPED);
        assertThat(after.host.launches).isEmpty();
        assertThat(after.host.disks).hasSize(1);
        return Objects.requireNonNull(after.engine.get(ME, ref).endReason());
      }
    }

    @Test
    void exited() throws InterruptedException {
      SandboxRef ref = before.createLasting("a");
      assertThat(reasonAfter(() -> before.sandbox(ref).endUnseen(false), ref))
          .isEqualTo(EndReason.EXITED);
    }

    @Test
    void wasKilledForMemory() throws InterruptedException {
      SandboxRef ref = before.createLasting("a");
      assertThat(reasonAfter(() -> before.sandbox(ref).endUnseen(true), ref))
          .isEqualTo(EndReason.OUT_OF_MEMORY);
    }

    @Test
    void wentWithTheMachine() throws InterruptedException {
      SandboxRef ref = before.createLasting("a");
      assertThat(reasonAfter(() -> before.host.rebooted = true, ref))
          .isEqualTo(EndReason.HOST_RESTARTED);
    }

    @Test
    void hasAnAgentThatDoesNotDial() throws InterruptedException {
      SandboxRef ref = before.createLasting("a");
      assertThat(reasonAfter(() -> before.sandbox(ref).answers = false, ref))
          .isEqualTo(EndReason.AGENT_LOST);
    }

    @Test
    void hasAnotherAgentThanTheOneThatWasLeft() throws InterruptedException {
      SandboxRef ref = before.createLasting("a");
      assertThat(reasonAfter(() -> before.sandbox(ref).inside.bootId = "ab".repeat(16), ref))
          .isEqualTo(EndReason.AGENT_LOST);
    }

    @Test
    void isRemovedWhereItWasEphemeralAndItsNameIsFree() {
      SandboxRef ref = before.create("a");
      before.sandbox(ref).endUnseen(false);
      try (EngineFixture after = next()) {
        after.create("a");
        assertThat(after.host.launches).hasSize(1);
        assertThat(after.host.disks).hasSize(1);
      }
    }
  }

  @Nested
  class ARunUnderWay {
    private SandboxRef ref;

    @BeforeEach
    void create() {
      ref = before.create("a");
    }

    private ObjectId begin(boolean keepRunning, String... code) throws InterruptedException {
      RunRequest request =
          new RunRequest(
              "python", String.join("\n", code), Duration.ofMinutes(5), keepRunning, null);
      RunStream run = before.engine.stream(ME, ref, request);
      until(() -> before.sandbox(ref).inside.objects.containsKey(run.id()));
      return run.id();
    }

    private static List<RunEvent> events(
        EngineFixture server, SandboxRef ref, ObjectId id, long offset)
        throws InterruptedException {
      List<RunEvent> events = new ArrayList<>();
      try (RunStream run = server.engine.attach(ME, ref, id, offset)) {
        while (true) {
          RunEvent event = run.next(PATIENCE);
          if (event == null) {
            throw new AssertionError("no event came: " + events);
          }
          events.add(event);
          if (event instanceof RunEvent.Finished) {
            return events;
          }
        }
      }
    }

    private void endOnItsOwn(ObjectId id) {
      Objects.requireNonNull(before.sandbox(ref).inside.objects.get(id)).kill(15);
    }

    private static String text(List<RunEvent> events) {
      StringBuilder text = new StringBuilder();
      for (RunEvent event : events) {
        if (event instanceof RunEvent.Output output) {
          text.append(new String(output.bytes(), java.nio.charset.StandardCharsets.UTF_8));
        }
      }
      return text.toString();
    }

    @Test
    void isAttachedToAgainFromAnyOffset() throws InterruptedException {
      ObjectId id = begin(false, "print one", "print two", "hang");
      try (EngineFixture after = next()) {
        endOnItsOwn(id);
        List<RunEvent> events = events(after, ref, id, 4);
        assertThat(text(events)).isEqualTo("two\n");
        assertThat(events.getLast())
            .isInstanceOfSatisfying(
                RunEvent.Finished.class,
                end -> assertThat(end.outcome()).isEqualTo(Outcome.SIGNALED));
        assertThat(text(events(after, ref, id, 0))).isEqualTo("one\ntwo\n");
      }
    }

    @Test
    void thatEndedMeanwhileTellsItsOutcome() throws InterruptedException {
      ObjectId id = begin(false, "print one", "hang");
      before.engine.journal().write();
      endOnItsOwn(id);
      try (EngineFixture after = before.afterKill(second)) {
        assertThat(text(events(after, ref, id, 0))).isEqualTo("one\n");
        assertThat(after.run(ref, "print next").outcome()).isEqualTo(Outcome.OK);
      }
    }

    @Test
    void holdsItsContextAndItsTimeLimitGoesOn() throws InterruptedException {
      ObjectId id = begin(true, "print one", "hang");
      before.clock.advance(Duration.ofMinutes(6));
      try (EngineFixture after = next()) {
        List<RunEvent> events = events(after, ref, id, 0);
        assertThat(events.getLast())
            .isInstanceOfSatisfying(
                RunEvent.Finished.class,
                end -> {
                  assertThat(end.outcome()).isEqualTo(Outcome.TIMED_OUT);
                  assertThat(end.duration()).isGreaterThanOrEqualTo(Duration.ofMinutes(6));
                });
      }
    }

    @Test
    void canBeInterrupted() throws InterruptedException {
      ObjectId id = begin(true, "hang");
      try (EngineFixture after = next()) {
        after.engine.interrupt(ME, ref, id);
        assertThat(events(after, ref, id, 0).getLast())
            .isInstanceOfSatisfying(
                RunEvent.Finished.class,
                end -> assertThat(end.outcome()).isEqualTo(Outcome.INTERRUPTED));
      }
    }

    @Test
    void endsWithItsSandbox() throws InterruptedException {
      ObjectId id = begin(true, "hang");
      try (EngineFixture after = next()) {
        RunStream run = after.engine.attach(ME, ref, id, 0);
        after.engine.stop(ME, ref);
        RunEvent last = run.next(PATIENCE);
        while (last != null && !(last instanceof RunEvent.Finished)) {
          last = run.next(PATIENCE);
        }
        assertThat(last)
            .isInstanceOfSatisfying(
                RunEvent.Finished.class,
                end -> assertThat(end.outcome()).isEqualTo(Outcome.SANDBOX_ENDED));
      }
    }

    @Test
    void thatTheJournalDidNotKnowYetIsKnownByTheAgent() throws InterruptedException {
      // Not journaled: the server dies in the moment after it was begun.
      RunStream run = before.engine.stream(ME, ref, RunRequest.of("python", "print one\nhang"));
      until(() -> before.sandbox(ref).inside.objects.containsKey(run.id()));
      before
          .engine
          .database()
          .write(statements -> {
            boolean _ = statements.of("DELETE FROM runs").execute();
          });
      try (EngineFixture after = before.afterKill(second)) {
        after.engine.interrupt(ME, ref, run.id());
        assertThat(text(events(after, ref, run.id(), 0))).isEqualTo("one\n");
      }
    }
  }

  @Test
  void anAgentThatClaimsThousandsOfRunsIsBelievedFewOfThem() throws InterruptedException {
    SandboxRef ref = before.create("a");
    FakeAgent.Inside inside = before.sandbox(ref).inside;
    for (int i = 0; i < 3000; i++) {
      ObjectId id = ObjectId.random();
      inside.objects.put(id, new FakeAgent.FakeObject(id, inside, "hang"));
    }
    try (EngineFixture after = next()) {
      assertThat(after.run(ref, "print on").stdout().text()).isEqualTo("on\n");
      assertCode(
          ErrorCode.TOO_MANY_PROCESSES,
          () -> after.engine.command(ME, ref, CommandRequest.of("print", "x")));
      after.engine.stop(ME, ref);
      assertThat(after.host.leftovers()).isEmpty();
    }
  }

  @Test
  void offsetsPastAllBoundsAreHarmless() throws InterruptedException {
    SandboxRef ref = before.create("a");
    FakeAgent.Inside inside = before.sandbox(ref).inside;
    ObjectId id = ObjectId.random();
    inside.objects.put(id, new FakeAgent.FakeObject(id, inside, "print x\nhang"));
    inside.claimedEnd = Long.MAX_VALUE;
    try (EngineFixture after = next()) {
      after.engine.interrupt(ME, ref, id);
      assertThat(after.run(ref, "print on").stdout().text()).isEqualTo("on\n");
      after.engine.stop(ME, ref);
      assertThat(after.host.leftovers()).isEmpty();
    }
  }

  private static boolean isSettled(EngineFixture server, SandboxRef ref) {
    return server.engine.metrics(ME, ref).running();
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
