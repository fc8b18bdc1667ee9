package dev.microsandbox.engine;

import static dev.microsandbox.engine.EngineFixture.ME;
import static dev.microsandbox.engine.EngineFixture.spec;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.microsandbox.model.EndReason;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.ImageReference;
import dev.microsandbox.model.IsolationKind;
import dev.microsandbox.model.Language;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxSpec;
import dev.microsandbox.model.SandboxState;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.AbstractThrowableAssert;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LifecycleTest {
  @TempDir Path home;
  EngineFixture fixture;
  Engine engine;

  @BeforeEach
  void open() {
    fixture = new EngineFixture(home);
    engine = fixture.engine;
  }

  @AfterEach
  void close() {
    fixture.close();
  }

  static AbstractThrowableAssert<?, ?> assertCode(ErrorCode code, ThrowingCallable call) {
    return assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            SandboxException.class, e -> assertThat(e.code()).as(e.message()).isEqualTo(code));
  }

  @Test
  void createTellsTheSandboxWhoItIs() {
    SandboxInfo info = engine.create(ME, spec("a"));
    assertThat(info.state()).isEqualTo(SandboxState.RUNNING);
    assertThat(info.languages()).containsExactly(Language.PYTHON);
    assertThat(info.isolation()).isEqualTo(IsolationKind.CONTAINER);
    var told = fixture.sandbox(SandboxRef.of("a")).inside.configuration();
    assertThat(told.hostname()).isEqualTo("a");
    assertThat(fixture.sandbox(SandboxRef.of("a")).hostname).isEqualTo("a");
    assertThat(told.environment()).containsEntry("A", "b").containsKey("PIP_INDEX_URL");
    assertThat(told.egress()).isTrue();
    assertThat(told.prestart()).containsExactly(Language.PYTHON);
  }

  @Test
  void eachSandboxHasIdsOfItsOwn() {
    fixture.create("a");
    fixture.create("b");
    assertThat(fixture.host.specs.values().stream().map(launch -> launch.ids().start()))
        .containsExactlyInAnyOrder(0x1000_0000, 0x1001_0000);
  }

  @Test
  void aSandboxIsFoundByNameAndById() {
    SandboxInfo info = engine.create(ME, spec("a"));
    assertThat(engine.get(ME, SandboxRef.of("a")).id()).isEqualTo(info.id());
    assertThat(engine.get(ME, SandboxRef.of(info.id())).spec().name().value()).isEqualTo("a");
  }

  @Test
  void aLiveNameIsTaken() {
    fixture.create("a");
    assertCode(ErrorCode.NAME_TAKEN, () -> engine.create(ME, spec("a")));
    assertThat(engine.list(ME, SandboxFilter.ALL)).hasSize(1);
  }

  @Test
  void aNameMayBeUsedOnceInEachNamespaceAndByEachOwner() {
    fixture.create("a");
    SandboxSpec first = spec("a");
    SandboxSpec elsewhere =
        new SandboxSpec(
            first.owner(),
            "other",
            first.name(),
            first.image(),
            null,
            first.limits(),
            Map.of(),
            Map.of(),
            first.network(),
            null,
            first.idleTimeout(),
            true);
    engine.create(ME, elsewhere);
    engine.create(new Caller("you"), spec("you", "a", true, null));
    assertThat(engine.list(ME, SandboxFilter.ALL)).hasSize(2);
    assertThat(engine.list(ME, new SandboxFilter("other", Map.of()))).hasSize(1);
  }

  @Test
  void anotherOwnersSandboxDoesNotExist() {
    SandboxInfo mine = engine.create(ME, spec("a"));
    Caller you = new Caller("you");
    SandboxRef byId = SandboxRef.of(mine.id());
    for (ThrowingCallable call :
        List.<ThrowingCallable>of(
            () -> engine.get(you, byId),
            () -> engine.get(you, SandboxRef.of("a")),
            () -> engine.stop(you, byId),
            () -> engine.delete(you, byId),
            () -> engine.logs(you, byId, 0, 10),
            () -> engine.metrics(you, byId),
            () -> engine.readFile(you, byId, "x", ""),
            () -> engine.run(you, byId, RunRequest.of("python", "print x")))) {
      assertCode(ErrorCode.SANDBOX_NOT_FOUND, call);
    }
    assertThat(engine.list(you, SandboxFilter.ALL)).isEmpty();
    assertCode(ErrorCode.FORBIDDEN, () -> engine.create(you, spec("b")));
  }

  @Test
  void labelsSelect() {
    fixture.create("a");
    assertThat(engine.list(ME, new SandboxFilter(null, Map.of("team", "x")))).hasSize(1);
    assertThat(engine.list(ME, new SandboxFilter(null, Map.of("team", "y")))).isEmpty();
  }

  @Test
  void stoppingAnEphemeralOneLeavesNothing() {
    SandboxRef ref = fixture.create("a");
    SandboxInfo last = engine.stop(ME, ref);
    assertThat(last.state()).isEqualTo(SandboxState.STOPPED);
    assertThat(last.endReason()).isEqualTo(EndReason.STOPPED);
    assertThat(fixture.host.leftovers()).isEmpty();
    assertCode(ErrorCode.SANDBOX_NOT_FOUND, () -> engine.get(ME, ref));
    fixture.create("a");
  }

  @Test
  void stopKeepsTheDiskAndStartUsesIt() throws InterruptedException {
    SandboxRef ref = fixture.createLasting("a");
    assertThat(engine.stop(ME, ref).state()).isEqualTo(SandboxState.STOPPED);
    assertThat(fixture.host.launches).isEmpty();
    assertThat(fixture.host.disks).hasSize(1);
    assertCode(
        ErrorCode.SANDBOX_NOT_RUNNING, () -> engine.run(ME, ref, RunRequest.of("python", "x")));
    SandboxInfo again = engine.start(ME, ref);
    assertThat(again.state()).isEqualTo(SandboxState.RUNNING);
    assertThat(again.endReason()).isNull();
    assertThat(fixture.run(ref, "print hi").stdout().text()).isEqualTo("hi\n");
  }

  @Test
  void stopAndStartAreHarmlessWhereTheyChangeNothing() {
    SandboxRef ref = fixture.createLasting("a");
    engine.start(ME, ref);
    assertThat(fixture.host.launched).hasValue(1);
    engine.stop(ME, ref);
    assertThat(engine.stop(ME, ref).state()).isEqualTo(SandboxState.STOPPED);
  }

  @Test
  void deleteLeavesNothingRunningOrStopped() {
    SandboxRef running = fixture.createLasting("a");
    SandboxRef stopped = fixture.createLasting("b");
    engine.stop(ME, stopped);
    engine.delete(ME, running);
    engine.delete(ME, stopped);
    assertThat(fixture.host.leftovers()).isEmpty();
    assertThat(engine.list(ME, SandboxFilter.ALL)).isEmpty();
    assertThat(engine.status().running()).isZero();
  }

  @Test
  void aSandboxThatDoesNotEndWhenAskedIsKilledInBoundedTime() {
    SandboxRef ref = fixture.create("a");
    fixture.sandbox(ref).endsWhenAsked = false;
    long start = System.nanoTime();
    engine.stop(ME, ref);
    assertThat(System.nanoTime() - start).isLessThan(30_000_000_000L);
    assertThat(fixture.host.leftovers()).isEmpty();
  }

  @Test
  void aSandboxThatCannotBeKilledIsRemovedByWhatTheDriverFinds() {
    SandboxRef ref = fixture.create("a");
    fixture.host.at(
        FakeHost.Step.KILL,
        _ -> {
          throw new IllegalStateException("stuck");
        });
    engine.stop(ME, ref);
    assertThat(fixture.host.leftovers()).isEmpty();
  }

  @Test
  void aDiskThatCannotBeRemovedDoesNotKeepItsName() {
    SandboxRef ref = fixture.create("a");
    fixture.host.at(
        FakeHost.Step.REMOVE_DISK,
        _ -> {
          throw new IllegalStateException("busy");
        });
    engine.delete(ME, ref);
    assertThat(fixture.host.disks).hasSize(1);
    fixture.create("a");
  }

  @Test
  void anImpossibleLaunchLeavesNothingAndSaysWhy() {
    fixture.host.at(
        FakeHost.Step.LAUNCHED,
        _ -> {
          throw new SandboxException(ErrorCode.DISK_FULL, "no space is left", Map.of());
        });
    assertCode(ErrorCode.DISK_FULL, () -> engine.create(ME, spec("a")));
    fixture.host.hooks.clear();
    assertThat(fixture.host.leftovers()).isEmpty();
    assertThat(engine.status().running()).isZero();
    assertThat(engine.status().stored()).isZero();
    fixture.create("a");
  }

  @Test
  void aBugInADriverBecomesSandboxFailed() {
    fixture.host.at(
        FakeHost.Step.LAUNCH,
        _ -> {
          throw new IllegalStateException("a bug");
        });
    assertCode(ErrorCode.SANDBOX_FAILED, () -> engine.create(ME, spec("a")))
        .hasMessageNotContaining("a bug");
  }

  @Test
  void anAgentThatDoesNotDialFailsTheCreateAndLeavesNothing() {
    fixture.host.at(
        FakeHost.Step.LAUNCHED,
        id -> java.util.Objects.requireNonNull(fixture.host.running.get(id)).answers = false);
    assertCode(ErrorCode.SANDBOX_FAILED, () -> engine.create(ME, spec("a")));
    assertThat(fixture.host.leftovers()).isEmpty();
  }

  @Test
  void aFailedStartLeavesItStopped() {
    SandboxRef ref = fixture.createLasting("a");
    engine.stop(ME, ref);
    fixture.host.at(
        FakeHost.Step.CONFIGURE,
        _ -> {
          throw FakeAgent.lost();
        });
    assertCode(ErrorCode.AGENT_LOST, () -> engine.start(ME, ref));
    fixture.host.hooks.clear();
    assertThat(engine.get(ME, ref).state()).isEqualTo(SandboxState.STOPPED);
    assertThat(fixture.host.launches).isEmpty();
    assertThat(fixture.host.disks).hasSize(1);
    engine.start(ME, ref);
  }

  @Test
  void anUnknownImageIsRefused() {
    SandboxSpec base = spec("a");
    SandboxSpec other =
        new SandboxSpec(
            base.owner(),
            base.namespace(),
            base.name(),
            ImageReference.parse("nobody/knows"),
            null,
            base.limits(),
            Map.of(),
            Map.of(),
            base.network(),
            null,
            base.idleTimeout(),
            true);
    assertCode(ErrorCode.IMAGE_NOT_FOUND, () -> engine.create(ME, other));
    assertThat(engine.status().stored()).isZero();
  }

  @Test
  void logsTellWhatHappened() {
    SandboxRef ref = fixture.createLasting("a");
    fixture.sandbox(ref).agent().ears().listener().onDiagnostic("warning", "odd");
    engine.stop(ME, ref);
    assertThat(engine.logs(ME, ref, 0, 100))
        .extracting(LogEntry::text)
        .containsExactly("started", "odd", "ended: stopped");
  }

  @Test
  void metricsAreTheHostsCount() {
    SandboxRef ref = fixture.createLasting("a");
    fixture.clock.advance(java.time.Duration.ofSeconds(2));
    fixture.sandbox(ref).cpuTime = java.time.Duration.ofSeconds(1);
    SandboxMetrics metrics = engine.metrics(ME, ref);
    assertThat(metrics.running()).isTrue();
    assertThat(metrics.cpuPercent()).isEqualTo(50.0);
    assertThat(metrics.memory().mib()).isEqualTo(20);
    engine.stop(ME, ref);
    assertThat(engine.metrics(ME, ref).running()).isFalse();
  }

  @Test
  void filesComeAndGo() {
    SandboxRef ref = fixture.create("a");
    WholeFiles.write(engine.writeFile(ME, ref, FileWrite.of("x.txt")), new byte[] {1, 2});
    assertThat(WholeFiles.read(engine.readFile(ME, ref, "x.txt", ""))).containsExactly(1, 2);
    assertCode(ErrorCode.NO_SUCH_FILE, () -> engine.readFile(ME, ref, "y.txt", ""));
    assertCode(ErrorCode.INVALID_REQUEST, () -> engine.readFile(ME, ref, "a\0b", ""));
    assertCode(
        ErrorCode.INVALID_REQUEST, () -> engine.writeFile(ME, ref, FileWrite.of("x".repeat(4097))));
  }

  @Test
  void aSecondServerOnTheSameHomeIsRefused() {
    assertCode(
        ErrorCode.HOME_IN_USE, () -> Engine.open(EngineSettings.defaults(home), fixture.parts()));
  }

  @Test
  void aClosedServerHasEndedItsSandboxesAndCanBeOpenedAgain() {
    fixture.create("a");
    fixture.createLasting("b");
    fixture.close();
    assertThat(fixture.host.launches).isEmpty();
    assertThat(fixture.host.disks).hasSize(1);
    fixture = new EngineFixture(home, fixture.host, fixture.clock, Map.of());
    engine = fixture.engine;
    assertThat(engine.list(ME, SandboxFilter.ALL))
        .singleElement()
        .satisfies(info -> {
          assertThat(info.state()).isEqualTo(SandboxState.STOPPED);
          assertThat(info.endReason()).isEqualTo(EndReason.SERVER_STOPPED);
          assertThat(info.spec().environment()).containsEntry("A", "b");
        });
    engine.start(ME, SandboxRef.of("b"));
  }
}
