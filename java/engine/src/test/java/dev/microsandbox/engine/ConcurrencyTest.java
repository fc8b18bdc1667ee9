package dev.microsandbox.engine;

import static dev.microsandbox.engine.EngineFixture.ME;
import static dev.microsandbox.engine.EngineFixture.spec;
import static dev.microsandbox.engine.EngineFixture.until;
import static dev.microsandbox.engine.LifecycleTest.assertCode;
import static org.assertj.core.api.Assertions.assertThat;

import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.Outcome;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxState;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Many callers at once.
@Timeout(60)
class ConcurrencyTest {
  @TempDir Path home;

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void whoWaitsTooLongForAnotherOperationIsToldSo() throws Exception {
    try (EngineFixture fixture = new EngineFixture(home, Map.of("busy-timeout", "0.2"))) {
      SandboxRef ref = fixture.createLasting("a");
      CountDownLatch go = new CountDownLatch(1);
      fixture.host.at(FakeHost.Step.KILL, _ -> await(go));
      Thread stopping = Thread.startVirtualThread(() -> fixture.engine.stop(ME, ref));
      until(() -> fixture.engine.get(ME, ref).state() == SandboxState.STOPPING);
      assertCode(ErrorCode.SANDBOX_BUSY, () -> fixture.engine.start(ME, ref));
      assertCode(ErrorCode.SANDBOX_BUSY, () -> fixture.engine.delete(ME, ref));
      assertCode(
          ErrorCode.SANDBOX_NOT_RUNNING,
          () -> fixture.engine.run(ME, ref, RunRequest.of("python", "print x")));
      go.countDown();
      stopping.join();
      fixture.engine.start(ME, ref);
    }
  }

  @Test
  void aNameOnItsWayOutIsWaitedFor() throws Exception {
    try (EngineFixture fixture = new EngineFixture(home)) {
      SandboxRef ref = fixture.create("a");
      CountDownLatch go = new CountDownLatch(1);
      fixture.host.at(FakeHost.Step.KILL, _ -> await(go));
      Thread stopping = Thread.startVirtualThread(() -> fixture.engine.stop(ME, ref));
      until(() -> fixture.engine.get(ME, ref).state() == SandboxState.STOPPING);
      try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        Future<SandboxInfo> next = threads.submit(() -> fixture.engine.create(ME, spec("a")));
        Thread.sleep(100);
        assertThat(next.isDone()).isFalse();
        go.countDown();
        assertThat(next.get().state()).isEqualTo(SandboxState.RUNNING);
      }
      stopping.join();
    }
  }

  @Test
  void aRunOnASandboxThatIsBeingStartedWaitsForIt() throws Exception {
    try (EngineFixture fixture = new EngineFixture(home)) {
      CountDownLatch go = new CountDownLatch(1);
      fixture.host.at(FakeHost.Step.CONFIGURE, _ -> await(go));
      Thread creating = Thread.startVirtualThread(() -> fixture.engine.create(ME, spec("a")));
      until(() -> !fixture.engine.list(ME, SandboxFilter.ALL).isEmpty());
      try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        Future<RunResult> run = threads.submit(() -> fixture.run(SandboxRef.of("a"), "print x"));
        Thread.sleep(100);
        go.countDown();
        assertThat(run.get().outcome()).isEqualTo(Outcome.OK);
      }
      creating.join();
    }
  }

  @Test
  void aStormOfOperationsLeavesOneConsistentState() throws Exception {
    try (EngineFixture fixture = new EngineFixture(home)) {
      List<SandboxRef> all =
          List.of(
              fixture.createLasting("a"), fixture.createLasting("b"), fixture.createLasting("c"));
      try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int i = 0; i < 60; i++) {
          int seed = i;
          threads.execute(() -> trouble(fixture, all, new Random(seed)));
        }
      }
      for (SandboxRef ref : all) {
        SandboxState state = fixture.engine.get(ME, ref).state();
        assertThat(state).isIn(SandboxState.RUNNING, SandboxState.STOPPED);
        assertThat(fixture.host.launches.contains(fixture.engine.get(ME, ref).id()))
            .isEqualTo(state == SandboxState.RUNNING);
      }
      assertThat(fixture.engine.status().running()).isEqualTo(fixture.host.launches.size());
      all.forEach(ref -> fixture.engine.delete(ME, ref));
      assertThat(fixture.host.leftovers()).isEmpty();
      assertThat(fixture.engine.status().running()).isZero();
    }
  }

  private static void trouble(EngineFixture fixture, List<SandboxRef> all, Random random) {
    for (int i = 0; i < 10; i++) {
      SandboxRef ref = all.get(random.nextInt(all.size()));
      try {
        switch (random.nextInt(5)) {
          case 0 -> fixture.engine.start(ME, ref);
          case 1 -> fixture.engine.stop(ME, ref);
          case 2 -> {
            RunHandle run = fixture.engine.run(ME, ref, RunRequest.of("python", "hang"));
            run.abandon();
            run.await();
          }
          case 3 -> fixture.sandbox(ref).end(random.nextBoolean());
          default -> fixture.sandbox(ref).agent().cut();
        }
      } catch (SandboxException | AssertionError _) {
        // stopped just now, busy, …: all of that is allowed
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Test
  void creatingAndClosingAtOnceLeavesNothing() throws Exception {
    EngineFixture fixture = new EngineFixture(home);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 50; i++) {
        String name = "s" + i;
        threads.execute(() -> {
          try {
            fixture.create(name);
          } catch (SandboxException e) {
            assertThat(e.code()).isIn(ErrorCode.SHUTTING_DOWN, ErrorCode.STORE_FAILED);
          }
        });
      }
      Thread.sleep(5);
      fixture.close();
    }
    assertThat(fixture.host.launches).isEmpty();
    assertCode(ErrorCode.SHUTTING_DOWN, () -> fixture.create("late"));
  }
}
