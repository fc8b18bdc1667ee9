package dev.microsandbox.engine;

import static dev.microsandbox.engine.EngineFixture.ME;
import static dev.microsandbox.engine.EngineFixture.spec;
import static dev.microsandbox.engine.EngineFixture.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.ImageReference;
import dev.microsandbox.model.Language;
import dev.microsandbox.model.Limits;
import dev.microsandbox.model.NetworkPolicy;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxId;
import dev.microsandbox.model.SandboxName;
import dev.microsandbox.model.SandboxSpec;
import dev.microsandbox.model.SandboxState;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Pools on a fake host: what is kept, what is claimed, and what becomes of it. Tests look after
/// the pools by hand.
class PoolTest {
  @TempDir Path home;
  @TempDir Path second;
  EngineFixture server;

  @BeforeEach
  void open() {
    server = new EngineFixture(home, with(Map.of()));
  }

  /// The same with other settings.
  private void reopen(Map<String, String> settings) {
    server.close();
    server = new EngineFixture(home, with(settings));
  }

  private static Map<String, String> with(Map<String, String> settings) {
    Map<String, String> all = new HashMap<>(Map.of("pool", "on", "pool-min", "0"));
    all.putAll(settings);
    return all;
  }

  @AfterEach
  void close() {
    server.host.hooks.clear();
    server.close();
    assertThat(server.host.leftovers()).as("what a closed server leaves").isEmpty();
  }

  /// Keeps so many ready, whatever is asked for.
  private void keep(int count) throws InterruptedException {
    bound(count, count);
    fill(count);
  }

  private void bound(int minimum, int maximum) {
    var _ =
        server.engine.setPool(
            new PoolService.PoolBounds(
                ImageReference.PYTHON, null, Limits.DEFAULT, minimum, maximum));
  }

  private void fill(int count) throws InterruptedException {
    until(() -> {
      server.engine.tendPools();
      return pool().ready() == count && pool().starting() == 0;
    });
  }

  private PoolStatus pool() {
    return server.engine.pools().getFirst();
  }

  private PoolStatus.Trouble trouble() {
    return Objects.requireNonNull(pool().trouble());
  }

  // ---------------------------------------------------------------- claims

  @Test
  void aCreationClaimsOneThatIsReady() throws InterruptedException {
    keep(2);
    SandboxRef ref = server.create("a");
    assertThat(server.host.launched).hasValue(2);
    assertThat(pool().ready()).isEqualTo(1);
    assertThat(server.engine.totals().hits()).isEqualTo(1);
    SandboxInfo info = server.engine.get(ME, ref);
    assertThat(info.state()).isEqualTo(SandboxState.RUNNING);
    assertThat(info.spec()).isEqualTo(spec("a"));
    assertThat(server.engine.list(ME, SandboxFilter.ALL)).containsExactly(info);
    assertThat(server.run(ref, "print hello").stdout().text()).isEqualTo("hello\n");
  }

  @Test
  void aMemberIsNobodysUntilItIsClaimed() throws InterruptedException {
    keep(1);
    FakeHost.FakeSandbox member = server.host.running.values().iterator().next();
    var before = member.inside.configuration();
    assertThat(before.environment()).isEmpty();
    assertThat(before.egress()).isFalse();
    assertThat(before.hostname()).isEqualTo("sandbox");
    assertThat(server.engine.list(ME, SandboxFilter.ALL)).isEmpty();
    assertThatThrownBy(() -> server.engine.get(ME, SandboxRef.of(member.id())))
        .isInstanceOf(SandboxException.class);
    SandboxRef ref = server.create("a");
    assertThat(server.sandbox(ref)).isSameAs(member);
    var after = member.inside.configuration();
    assertThat(after.hostname()).isEqualTo("a");
    assertThat(after.egress()).isTrue();
    assertThat(after.environment())
        .containsEntry("A", "b")
        .containsEntry("PIP_INDEX_URL", "https://mirror.example/simple");
    assertThat(after.renew()).isEmpty();
    assertThat(member.hostname).isEqualTo("a");
  }

  @Test
  void aVariableOfTheStartHasInterpretersStartedAnew() throws InterruptedException {
    keep(1);
    SandboxSpec spec = changed(spec("a"), Map.of("PYTHONPATH", "/x"), Limits.DEFAULT);
    SandboxRef ref = SandboxRef.of(server.engine.create(ME, spec).id());
    assertThat(server.sandbox(ref).inside.configuration().renew()).containsExactly(Language.PYTHON);
  }

  private static SandboxSpec changed(
      SandboxSpec spec, Map<String, String> variables, Limits limits) {
    return new SandboxSpec(
        spec.owner(),
        spec.namespace(),
        spec.name(),
        spec.image(),
        spec.isolation(),
        limits,
        variables,
        spec.labels(),
        NetworkPolicy.PUBLIC,
        spec.timeToLive(),
        spec.idleTimeout(),
        spec.ephemeral());
  }

  @Test
  void otherLimitsAreAnotherPool() throws InterruptedException {
    keep(1);
    Limits larger = new Limits(Limits.DEFAULT.memory(), 2, 512, Limits.DEFAULT.disk());
    server.engine.create(ME, changed(spec("a"), Map.of(), larger));
    assertThat(server.engine.pools().getFirst().ready()).isEqualTo(1);
    assertThat(server.engine.totals().misses()).isEqualTo(1);
    assertThat(server.engine.pools()).hasSize(2);
  }

  @Test
  void noSandboxIsEverGivenTwice() throws Exception {
    reopen(Map.of("max-sandboxes", "200", "max-stored-sandboxes", "400", "pool-rate", "1000"));
    keep(60);
    server.engine.startPools();
    Set<SandboxId> given = ConcurrentHashMap.newKeySet();
    List<Future<SandboxId>> creations = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 100; i++) {
        String name = "racer-" + i;
        creations.add(threads.submit(() -> server.engine.create(ME, spec(name)).id()));
      }
    }
    for (Future<SandboxId> creation : creations) {
      assertThat(given.add(creation.get())).isTrue();
    }
    PoolTotals totals = server.engine.totals();
    assertThat(totals.hits() + totals.waits() + totals.misses()).isEqualTo(100);
    assertThat(totals.hits()).isGreaterThanOrEqualTo(60);
  }

  @Test
  void aUsedSandboxNeverComesBack() throws InterruptedException {
    keep(1);
    SandboxRef ref = server.create("a");
    SandboxId used = server.engine.get(ME, ref).id();
    server.engine.stop(ME, ref);
    assertThat(server.host.launches).doesNotContain(used);
    fill(1);
    assertThat(server.engine.create(ME, spec("b")).id()).isNotEqualTo(used);
  }

  @Test
  void exactlyAsManyCreationsSucceedAsTheLimitAllows() throws Exception {
    reopen(Map.of("max-sandboxes", "20", "max-stored-sandboxes", "5000", "pool-rate", "1000"));
    keep(15);
    server.engine.startPools();
    AtomicInteger refused = new AtomicInteger();
    List<Future<Boolean>> creations = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 1000; i++) {
        String name = "racer-" + i;
        creations.add(threads.submit(() -> created(name, refused)));
      }
    }
    long made = 0;
    for (Future<Boolean> creation : creations) {
      made += creation.get() ? 1 : 0;
    }
    assertThat(made).isEqualTo(20);
    assertThat(refused).hasValue(980);
    assertThat(server.engine.list(ME, SandboxFilter.ALL)).hasSize(20);
  }

  private boolean created(String name, AtomicInteger refused) {
    try {
      server.engine.create(ME, spec(name));
      return true;
    } catch (SandboxException e) {
      assertThat(e.code()).isEqualTo(ErrorCode.TOO_MANY_SANDBOXES);
      refused.incrementAndGet();
      return false;
    }
  }

  @Test
  void aNameThatIsTakenCostsNoMember() throws InterruptedException {
    keep(2);
    server.create("a");
    assertThatThrownBy(() -> server.create("a")).isInstanceOf(SandboxException.class);
    assertThat(pool().ready()).isEqualTo(1);
  }

  @Test
  void whatWasUsedBeforeTheClaimIsNotTheOwners() throws InterruptedException {
    keep(1);
    FakeHost.FakeSandbox member = server.host.running.values().iterator().next();
    SandboxRef ref = server.create("a");
    server.clock.advance(Duration.ofSeconds(1));
    assertThat(server.engine.metrics(ME, ref).cpuPercent()).isZero();
    member.cpuTime = Duration.ofMillis(500);
    server.clock.advance(Duration.ofSeconds(1));
    assertThat(server.engine.metrics(ME, ref).cpuPercent()).isGreaterThan(0);
  }

  // ---------------------------------------------------------------- members that are of no use

  @Test
  void aMemberThatHasEndedIsNotGivenAndIsReplaced() throws InterruptedException {
    keep(1);
    FakeHost.FakeSandbox member = server.host.running.values().iterator().next();
    member.end(true);
    SandboxRef ref = server.create("a");
    assertThat(server.sandbox(ref)).isNotSameAs(member);
    until(() -> !server.host.disks.contains(member.id()));
    server.clock.advance(Duration.ofMinutes(2));
    fill(1);
  }

  @Test
  void aMemberWhoseAgentIsLostWhileItIsClaimedIsThrownAway() throws InterruptedException {
    keep(1);
    FakeHost.FakeSandbox member = server.host.running.values().iterator().next();
    member.inside.takesWords = false;
    SandboxRef ref = server.create("a");
    assertThat(server.sandbox(ref)).isNotSameAs(member);
    assertThat(server.host.leftovers()).doesNotContain(member.id());
    assertThat(server.engine.list(ME, SandboxFilter.ALL)).hasSize(1);
  }

  @Test
  void interpretersThatDoNotStartAreAFailedRefill() throws InterruptedException {
    server.host.at(
        FakeHost.Step.CONNECT,
        id -> Objects.requireNonNull(server.host.running.get(id)).inside.interpretersStart = false);
    bound(1, 1);
    server.engine.tendPools();
    until(() -> pool().trouble() != null);
    assertThat(trouble().message()).contains("interpreters");
    until(() -> server.host.leftovers().isEmpty());
  }

  @Test
  void aMemberThatDoesNotAnswerItsClaimIsThrownAway() throws InterruptedException {
    keep(1);
    SandboxId member = server.host.running.keySet().iterator().next();
    server.host.at(
        FakeHost.Step.CONFIGURE,
        id -> {
          if (id.equals(member)) {
            throw FakeAgent.lost();
          }
        });
    SandboxRef ref = server.create("a");
    assertThat(server.engine.get(ME, ref).id()).isNotEqualTo(member);
    until(() -> !server.host.leftovers().contains(member));
  }

  @Test
  void refillingThatFailsBacksOffAndIsSeen() throws InterruptedException {
    server.host.at(
        FakeHost.Step.LAUNCH,
        _ -> {
          throw new SandboxException(ErrorCode.SANDBOX_FAILED, "the host is out of luck");
        });
    bound(1, 1);
    server.engine.tendPools();
    until(() -> pool().trouble() != null);
    assertThat(trouble().message()).isEqualTo("the host is out of luck");
    assertThat(trouble().retryAt()).isEqualTo(server.clock.now().plusSeconds(1));
    server.engine.tendPools();
    assertThat(pool().refills()).as("not tried again at once").isEqualTo(1);
    server.host.hooks.clear();
    server.clock.advance(Duration.ofSeconds(1));
    fill(1);
    assertThat(server.engine.totals().failures()).isEqualTo(1);
    server.create("a");
    assertThat(pool().trouble()).isNull();
  }

  @Test
  void whoWaitsForALaunchThatFailsMakesOneItself() throws Exception {
    bound(1, 1);
    AtomicInteger launches = new AtomicInteger();
    var gate = new CountDownLatch(1);
    server.host.at(
        FakeHost.Step.LAUNCH,
        _ -> {
          if (launches.getAndIncrement() == 0) {
            awaitGate(gate);
            throw new SandboxException(ErrorCode.SANDBOX_FAILED, "no");
          }
        });
    server.engine.tendPools();
    until(() -> launches.get() == 1);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<SandboxInfo> creation = threads.submit(() -> server.engine.create(ME, spec("a")));
      gate.countDown();
      assertThat(creation.get().state()).isEqualTo(SandboxState.RUNNING);
    }
    assertThat(server.engine.totals().misses()).isEqualTo(1);
  }

  @Test
  void whoComesWhileOneIsBeingLaunchedGetsThat() throws Exception {
    bound(1, 1);
    var gate = new CountDownLatch(1);
    server.host.at(FakeHost.Step.LAUNCHED, _ -> awaitGate(gate));
    server.engine.tendPools();
    until(() -> server.host.launched.get() == 1);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<SandboxInfo> creation = threads.submit(() -> server.engine.create(ME, spec("a")));
      until(() -> server.engine.list(ME, SandboxFilter.ALL).isEmpty() && holdsName("a"));
      gate.countDown();
      assertThat(server.host.launches).contains(creation.get().id());
    }
    assertThat(server.host.launched).hasValue(1);
    assertThat(server.engine.totals().waits()).isEqualTo(1);
  }

  private boolean holdsName(String name) {
    try {
      server.engine.get(ME, SandboxRef.of(name));
      return true;
    } catch (SandboxException _) {
      return false;
    }
  }

  private static void awaitGate(CountDownLatch gate) {
    try {
      assertThat(gate.await(10, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  // ---------------------------------------------------------------- sizes

  @Test
  void aPoolFollowsDemandAndDiesOut() throws InterruptedException {
    reopen(Map.of("pool-max", "3"));
    server.engine.stop(ME, server.create("first"));
    fill(1);
    server.engine.stop(ME, server.create("second"));
    fill(2);
    for (int i = 0; i < 9; i++) {
      server.engine.stop(ME, server.create("more-" + i));
    }
    fill(3);
    server.clock.advance(Duration.ofMinutes(2));
    fill(1);
    server.clock.advance(Duration.ofMinutes(10));
    until(() -> {
      server.engine.tendPools();
      return server.engine.pools().isEmpty() && server.host.leftovers().isEmpty();
    });
  }

  @Test
  void defaultImagesAreKeptFromTheStart() throws InterruptedException {
    reopen(Map.of("pool-min", "2"));
    server.engine.startPools();
    until(() -> server.engine.totals().ready() == 2);
    assertThat(pool().key().image()).isEqualTo(ImageReference.PYTHON);
  }

  @Test
  void aCreationAtTheLimitEvictsAMember() throws InterruptedException {
    reopen(Map.of("max-sandboxes", "2"));
    keep(2);
    Limits other = new Limits(Limits.DEFAULT.memory(), 2, 512, Limits.DEFAULT.disk());
    server.engine.create(ME, changed(spec("a"), Map.of(), other));
    assertThat(server.host.running).hasSize(2);
    server.engine.create(ME, changed(spec("b"), Map.of(), other));
    assertThat(server.host.running).hasSize(2);
    assertThat(server.engine.totals().ready()).isZero();
    server.engine.tendPools();
    assertThat(trouble().message()).contains("limits");
  }

  @Test
  void membersTakeNoMemoryFromThoseWhoAsk() throws InterruptedException {
    reopen(Map.of("max-memory", "1024"));
    keep(2);
    Limits other = new Limits(Limits.DEFAULT.memory(), 2, 512, Limits.DEFAULT.disk());
    server.engine.create(ME, changed(spec("a"), Map.of(), other));
    server.engine.create(ME, changed(spec("b"), Map.of(), other));
    assertThat(server.host.running).hasSize(2);
  }

  @Test
  void idsOfMembersAreFreeForThoseWhoAsk() throws InterruptedException {
    reopen(Map.of("id-ranges", "2"));
    keep(2);
    Limits other = new Limits(Limits.DEFAULT.memory(), 2, 512, Limits.DEFAULT.disk());
    server.engine.create(ME, changed(spec("a"), Map.of(), other));
    assertThat(server.host.running).hasSize(2);
  }

  @Test
  void aHostShortOfMemoryShrinksPools() throws InterruptedException {
    keep(2);
    server.host.memoryIsShort = true;
    until(() -> {
      server.engine.tendPools();
      return server.host.leftovers().isEmpty();
    });
    assertThat(trouble().message()).contains("memory");
    assertThat(pool().ready()).isZero();
    server.host.memoryIsShort = false;
    fill(2);
    assertThat(pool().trouble()).isNull();
  }

  @Test
  void whatIsSetLastsBeyondTheServer() throws InterruptedException {
    bound(1, 4);
    try (EngineFixture after = server.afterKill(second)) {
      assertThat(after.engine.pools())
          .singleElement()
          .satisfies(pool -> {
            assertThat(pool.minimum()).isEqualTo(1);
            assertThat(pool.maximum()).isEqualTo(4);
            assertThat(pool.configured()).isTrue();
          });
      var _ =
          after.engine.setPool(
              new PoolService.PoolBounds(ImageReference.PYTHON, null, Limits.DEFAULT, 0, null));
      assertThat(after.engine.pools()).as("on demand alone, and there was none").isEmpty();
    }
  }

  @Test
  void whatCannotBeSetIsRefused() {
    reopen(Map.of("max-sandboxes", "10"));
    assertThatThrownBy(() -> bound(11, 11)).hasMessageContaining("between 0 and 10");
    assertThatThrownBy(() -> bound(3, 2)).hasMessageContaining("maximum");
    assertThatThrownBy(() ->
            server.engine.setPool(
                new PoolService.PoolBounds(ImageReference.NODE, null, Limits.DEFAULT, 1, null)))
        .isInstanceOfSatisfying(
            SandboxException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.IMAGE_NOT_FOUND));
  }

  // ---------------------------------------------------------------- the server's end

  @Test
  void unclaimedOnesEndWithTheServer() throws InterruptedException {
    keep(3);
    server.engine.close();
    assertThat(server.host.leftovers()).isEmpty();
  }

  @Test
  void aKilledServersMembersAreRemovedByItsSuccessor() throws InterruptedException {
    reopen(Map.of("shutdown-timeout", "0.1"));
    keep(3);
    try (EngineFixture after = server.afterKill(second)) {
      assertThat(after.host.leftovers()).isEmpty();
      after.create("a");
    }
  }

  @Test
  void aClaimThatWasCutShortLeavesNothing() throws InterruptedException {
    reopen(Map.of("shutdown-timeout", "0.1"));
    keep(1);
    server.host.at(
        FakeHost.Step.CONFIGURE,
        _ -> {
          throw new FakeHost.Killed();
        });
    assertThatThrownBy(() -> server.engine.create(ME, spec("a", false)))
        .isInstanceOf(FakeHost.Killed.class);
    try (EngineFixture after = server.afterKill(second)) {
      assertThat(after.host.leftovers()).isEmpty();
      assertThat(after.engine.list(ME, SandboxFilter.ALL)).isEmpty();
      after.create("a");
    }
  }

  @Test
  void aClaimedOneIsTakenOverAndAnUnclaimedOneIsNot() throws InterruptedException {
    reopen(Map.of("shutdown-timeout", "0.1"));
    keep(2);
    SandboxRef lasting = server.createLasting("lasting");
    SandboxId id = server.engine.get(ME, lasting).id();
    try (EngineFixture after = server.afterKill(second)) {
      until(() -> after.engine.get(ME, lasting).state() == SandboxState.RUNNING);
      assertThat(after.host.disks).containsExactly(id);
      assertThat(after.engine.get(ME, SandboxRef.of("lasting")).spec().name())
          .isEqualTo(new SandboxName("lasting"));
      assertThat(after.run(lasting, "print hello").stdout().text()).isEqualTo("hello\n");
      after.engine.delete(ME, lasting);
    }
  }

  @Test
  void aStoreThatFailsGivesNothingAndLeavesNothing()
      throws InterruptedException, ExecutionException {
    keep(1);
    SandboxId member = server.host.running.keySet().iterator().next();
    server
        .engine
        .database()
        .write(statements -> {
          boolean _ = statements.of("ALTER TABLE sandboxes RENAME TO elsewhere").execute();
        });
    assertThatThrownBy(() -> server.create("a")).isInstanceOf(SandboxException.class);
    until(() -> !server.host.running.containsKey(member));
    server
        .engine
        .database()
        .write(statements -> {
          boolean _ = statements.of("ALTER TABLE elsewhere RENAME TO sandboxes").execute();
        });
    server.create("a");
  }
}
