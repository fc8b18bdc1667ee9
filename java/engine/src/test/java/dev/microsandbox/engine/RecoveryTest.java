package dev.microsandbox.engine;

import static dev.microsandbox.engine.EngineFixture.ME;
import static dev.microsandbox.engine.EngineFixture.spec;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.microsandbox.model.EndReason;
import dev.microsandbox.model.SandboxId;
import dev.microsandbox.model.SandboxState;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A server that is killed at any step, and what its successor makes of it. The database is a real
/// file; the host's resources are counted by the fake host.
class RecoveryTest {
  @TempDir Path home;
  @TempDir Path second;
  EngineFixture before;

  @BeforeEach
  void open() {
    before = new EngineFixture(home, Map.of("shutdown-timeout", "0.1"));
  }

  @AfterEach
  void close() {
    before.host.hooks.clear();
    before.close();
  }

  private void dieAt(FakeHost.Step step) {
    before.host.at(
        step,
        _ -> {
          throw new FakeHost.Killed();
        });
  }

  @ParameterizedTest
  @EnumSource(names = {"LAUNCH", "LAUNCHED", "CONNECT", "CONFIGURE"})
  void aCreateThatWasCutShortLeavesNothing(FakeHost.Step step) {
    dieAt(step);
    assertThatThrownBy(() -> before.engine.create(ME, spec("a", false)))
        .isInstanceOf(FakeHost.Killed.class);
    try (EngineFixture after = before.afterKill(second)) {
      assertThat(after.host.leftovers()).isEmpty();
      assertThat(after.engine.list(ME, SandboxFilter.ALL)).isEmpty();
      after.createLasting("a");
      assertThat(after.host.specs.values())
          .as("the ids are free again")
          .allSatisfy(launch -> assertThat(launch.ids().start()).isEqualTo(0x1000_0000));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"KILL", "KILLED"})
  void aStopThatWasCutShortKeepsTheDisk(FakeHost.Step step) {
    SandboxRef ref = before.createLasting("a");
    dieAt(step);
    assertThatThrownBy(() -> before.engine.stop(ME, ref)).isInstanceOf(FakeHost.Killed.class);
    try (EngineFixture after = before.afterKill(second)) {
      assertThat(after.host.launches).isEmpty();
      assertThat(after.host.disks).hasSize(1);
      assertThat(after.engine.get(ME, ref).state()).isEqualTo(SandboxState.STOPPED);
      after.engine.start(ME, ref);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"REMOVE", "REMOVE_DISK", "DISK_REMOVED"})
  void aDeleteOfAStoppedOneThatWasCutShortIsFinished(FakeHost.Step step) {
    SandboxRef ref = before.createLasting("a");
    before.engine.stop(ME, ref);
    dieAt(step);
    assertThatThrownBy(() -> before.engine.delete(ME, ref)).isInstanceOf(FakeHost.Killed.class);
    try (EngineFixture after = before.afterKill(second)) {
      assertThat(after.host.leftovers()).isEmpty();
      assertThat(after.engine.list(ME, SandboxFilter.ALL)).isEmpty();
      after.createLasting("a");
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"KILL", "KILLED", "REMOVE_DISK", "DISK_REMOVED"})
  void aDeleteThatWasCutShortIsFinished(FakeHost.Step step) {
    SandboxRef ref = before.createLasting("a");
    dieAt(step);
    assertThatThrownBy(() -> before.engine.delete(ME, ref)).isInstanceOf(FakeHost.Killed.class);
    try (EngineFixture after = before.afterKill(second)) {
      assertThat(after.host.leftovers()).isEmpty();
      assertThat(after.engine.list(ME, SandboxFilter.ALL)).isEmpty();
      after.createLasting("a");
    }
  }

  @Test
  void aStopOfAnEphemeralOneThatWasCutShortIsFinished() {
    SandboxRef ref = before.create("a");
    dieAt(FakeHost.Step.KILL);
    assertThatThrownBy(() -> before.engine.stop(ME, ref)).isInstanceOf(FakeHost.Killed.class);
    try (EngineFixture after = before.afterKill(second)) {
      assertThat(after.host.leftovers()).isEmpty();
      assertThat(after.engine.list(ME, SandboxFilter.ALL)).isEmpty();
    }
  }

  @Test
  void theReasonOfAStopThatWasCutShortIsKept() {
    SandboxRef ref = before.createLasting("a");
    dieAt(FakeHost.Step.KILL);
    assertThatThrownBy(() -> before.engine.stop(ME, ref)).isInstanceOf(FakeHost.Killed.class);
    try (EngineFixture after = before.afterKill(second)) {
      assertThat(after.engine.get(ME, ref).endReason()).isEqualTo(EndReason.STOPPED);
    }
  }

  @Test
  void whatNoDatabaseKnowsIsRemovedFromTheHost() {
    SandboxId unknown = SandboxId.random();
    before.host.launches.add(unknown);
    before.host.disks.add(unknown);
    try (EngineFixture after = before.afterKill(second)) {
      assertThat(after.host.leftovers()).isEmpty();
    }
  }

  @Test
  void whatCannotBeRemovedStaysJournaledAndIsTriedAgain(@TempDir Path third) {
    dieAt(FakeHost.Step.KILL);
    SandboxRef ephemeral = before.create("a");
    SandboxRef lasting = before.createLasting("b");
    for (SandboxRef ref : List.of(ephemeral, lasting)) {
      assertThatThrownBy(() -> before.engine.stop(ME, ref)).isInstanceOf(FakeHost.Killed.class);
    }
    EngineFixture blocked =
        before.afterKill(
            second,
            host ->
                host.at(
                    FakeHost.Step.REMOVE,
                    _ -> {
                      throw new IllegalStateException("busy");
                    }));
    assertThat(blocked.host.launches).hasSize(2);
    blocked.host.hooks.clear();
    blocked.create("a"); // the name is free all the same
    try (EngineFixture after = blocked.afterKill(third)) {
      assertThat(after.engine.list(ME, SandboxFilter.ALL))
          .extracting(info -> info.spec().name().value())
          .containsExactlyInAnyOrder("a", "b");
      assertThat(after.host.launches).as("of the new one").hasSize(1);
      assertThat(after.host.disks).hasSize(2).contains(after.engine.get(ME, lasting).id());
    } finally {
      blocked.close();
    }
  }
}
