package dev.microsandbox.engine;

import static dev.microsandbox.engine.EngineFixture.ME;
import static dev.microsandbox.engine.EngineFixture.spec;
import static dev.microsandbox.engine.LifecycleTest.assertCode;
import static org.assertj.core.api.Assertions.assertThat;

import dev.microsandbox.model.ByteSize;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.Limits;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LimitsTest {
  @TempDir Path home;

  @Test
  void ofAThousandCreatesAtOnceExactlyTheLimitSucceeds() throws InterruptedException {
    try (EngineFixture fixture = new EngineFixture(home, Map.of("max-sandboxes", "25"))) {
      AtomicInteger made = new AtomicInteger();
      AtomicInteger refused = new AtomicInteger();
      CountDownLatch go = new CountDownLatch(1);
      try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int i = 0; i < 1000; i++) {
          SandboxSpec spec = spec("s" + i);
          threads.execute(() -> {
            try {
              go.await();
              fixture.engine.create(ME, spec);
              made.incrementAndGet();
            } catch (SandboxException e) {
              assertThat(e.code()).isEqualTo(ErrorCode.TOO_MANY_SANDBOXES);
              refused.incrementAndGet();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          });
        }
        go.countDown();
      }
      assertThat(made).hasValue(25);
      assertThat(refused).hasValue(975);
      assertThat(fixture.host.launches).hasSize(25);
      assertThat(fixture.engine.status().running()).isEqualTo(25);
      assertThat(fixture.engine.status().stored()).isEqualTo(25);
      fixture.engine.stop(
          ME, SandboxRef.of(fixture.engine.list(ME, SandboxFilter.ALL).getFirst().id()));
      fixture.create("one-more");
    }
  }

  @Test
  void ofManyCreatesOfOneNameExactlyOneSucceeds() throws InterruptedException {
    try (EngineFixture fixture = new EngineFixture(home)) {
      AtomicInteger made = new AtomicInteger();
      try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int i = 0; i < 100; i++) {
          threads.execute(() -> {
            try {
              fixture.engine.create(ME, spec("same"));
              made.incrementAndGet();
            } catch (SandboxException e) {
              assertThat(e.code()).isEqualTo(ErrorCode.NAME_TAKEN);
            }
          });
        }
      }
      assertThat(made).hasValue(1);
      assertThat(fixture.host.launches).hasSize(1);
    }
  }

  @Test
  void anOwnersLimitLeavesRoomForOthers() {
    try (EngineFixture fixture = new EngineFixture(home, Map.of("max-sandboxes-per-owner", "1"))) {
      fixture.create("a");
      assertCode(ErrorCode.TOO_MANY_SANDBOXES, () -> fixture.create("b"));
      fixture.engine.create(new Caller("you"), spec("you", "a", true, null));
    }
  }

  private static SandboxSpec spec(String name) {
    return EngineFixture.spec(name);
  }

  private static SandboxSpec spec(
      String owner, String name, boolean ephemeral, @Nullable Duration life) {
    return EngineFixture.spec(owner, name, ephemeral, life);
  }

  @Test
  void memoryForAllTogetherIsBounded() {
    try (EngineFixture fixture = new EngineFixture(home, Map.of("max-memory", "1000"))) {
      fixture.create("a");
      assertCode(ErrorCode.OUT_OF_MEMORY, () -> fixture.create("b"));
    }
  }

  @Test
  void storedOnesAreBounded() {
    try (EngineFixture fixture =
        new EngineFixture(home, Map.of("max-sandboxes", "1", "max-stored-sandboxes", "2"))) {
      fixture.engine.stop(ME, fixture.createLasting("a"));
      fixture.engine.stop(ME, fixture.createLasting("b"));
      assertCode(ErrorCode.TOO_MANY_SANDBOXES, () -> fixture.create("c"));
    }
  }

  @Test
  void hostIdsRunOut() {
    try (EngineFixture fixture = new EngineFixture(home, Map.of("id-ranges", "1"))) {
      fixture.create("a");
      assertCode(ErrorCode.TOO_MANY_SANDBOXES, () -> fixture.create("b"));
      assertThat(fixture.engine.status().running()).isEqualTo(1);
    }
  }

  @Test
  void aSandboxCannotAskForMoreThanTheServerAllows() {
    try (EngineFixture fixture = new EngineFixture(home, Map.of("max-sandbox-memory", "1024"))) {
      SandboxSpec base = spec("a");
      SandboxSpec large =
          new SandboxSpec(
              base.owner(),
              base.namespace(),
              base.name(),
              base.image(),
              null,
              new Limits(ByteSize.ofMib(2048), 1, 100, ByteSize.ofGib(1)),
              Map.of(),
              Map.of(),
              base.network(),
              null,
              base.idleTimeout(),
              true);
      assertCode(ErrorCode.INVALID_LIMITS, () -> fixture.engine.create(ME, large));
    }
  }

  @Test
  void aHostWithoutARuntimeSaysSo() {
    FakeHost host = new FakeHost();
    host.usable = false;
    try (EngineFixture fixture = new EngineFixture(home, host, new TestClock(), Map.of())) {
      assertCode(ErrorCode.RUNTIME_MISSING, () -> fixture.create("a"));
    }
  }
}
