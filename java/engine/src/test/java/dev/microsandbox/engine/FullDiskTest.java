package dev.microsandbox.engine;

import static dev.microsandbox.engine.EngineFixture.ME;
import static dev.microsandbox.engine.EngineFixture.spec;
import static dev.microsandbox.engine.LifecycleTest.assertCode;
import static org.assertj.core.api.Assertions.assertThat;

import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.Outcome;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxSpec;
import dev.microsandbox.model.SandboxState;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A database that cannot grow, as on a full disk, or that cannot be written at all.
class FullDiskTest {
  @TempDir Path home;
  EngineFixture fixture;

  @BeforeEach
  void open() {
    fixture = new EngineFixture(home);
  }

  @AfterEach
  void close() {
    fixture.close();
  }

  private void mayGrow(boolean grows) {
    fixture
        .engine
        .database()
        .write(statements -> {
          // A number below the present size means that size.
          String pages = "PRAGMA max_page_count = " + (grows ? 1_000_000 : 1);
          try (var row = statements.of(pages).executeQuery()) {
            assertThat(row.next()).isTrue();
          }
        });
  }

  /// Large enough to need pages of its own.
  private static SandboxSpec large(String name) {
    SandboxSpec base = spec(name);
    return new SandboxSpec(
        base.owner(),
        base.namespace(),
        base.name(),
        base.image(),
        null,
        base.limits(),
        Map.of("LARGE", "x".repeat(30_000)),
        Map.of(),
        base.network(),
        null,
        base.idleTimeout(),
        false);
  }

  @Test
  void aCreateFailsWithoutATraceAndOthersGoOn() throws InterruptedException {
    SandboxRef running = fixture.createLasting("a");
    mayGrow(false);
    assertCode(ErrorCode.DISK_FULL, () -> fixture.engine.create(ME, large("b")))
        .isInstanceOfSatisfying(
            SandboxException.class, e -> assertThat(e.details()).containsEntry("where", "host"));
    assertThat(fixture.host.launched).hasValue(1);
    assertThat(fixture.engine.status().stored()).isEqualTo(1);
    assertThat(fixture.engine.status().running()).isEqualTo(1);
    assertThat(fixture.run(running, "print x").stdout().text()).isEqualTo("x\n");
    mayGrow(true);
    fixture.engine.create(ME, large("b"));
  }

  @Test
  void deletingIsStillPossible() {
    SandboxRef ref = SandboxRef.of(fixture.engine.create(ME, large("a")).id());
    mayGrow(false);
    fixture.engine.delete(ME, ref);
    assertThat(fixture.host.leftovers()).isEmpty();
    assertThat(fixture.engine.status().stored()).isZero();
  }

  @Test
  void stoppingIsStillPossible() {
    SandboxRef ref = SandboxRef.of(fixture.engine.create(ME, large("a")).id());
    mayGrow(false);
    assertThat(fixture.engine.stop(ME, ref).state()).isEqualTo(SandboxState.STOPPED);
    assertThat(fixture.host.launches).isEmpty();
  }

  @Test
  void aStoreThatCannotBeWrittenRefusesWhatItCannotKeep() throws Exception {
    SandboxRef running = fixture.createLasting("a");
    SandboxRef stopped = fixture.createLasting("b");
    fixture.engine.stop(ME, stopped);
    fixture.engine.database().mayBeWritten(false);
    assertCode(ErrorCode.STORE_FAILED, () -> fixture.engine.create(ME, spec("c")));
    assertCode(ErrorCode.STORE_FAILED, () -> fixture.engine.start(ME, stopped));
    assertThat(fixture.host.launched).as("nothing is launched that is not journaled").hasValue(2);
    assertThat(fixture.engine.list(ME, SandboxFilter.ALL)).hasSize(2);
    assertThat(fixture.engine.get(ME, stopped).state()).isEqualTo(SandboxState.STOPPED);
    assertThat(fixture.run(running, "print x").stdout().text()).isEqualTo("x\n");
    fixture.engine.database().mayBeWritten(true);
    fixture.engine.start(ME, stopped);
    fixture.create("c");
  }

  @Test
  void anEndThatCannotBeStoredIsAnEndAllTheSame() throws Exception {
    SandboxRef ref = fixture.createLasting("a");
    fixture.engine.database().mayBeWritten(false);
    assertThat(fixture.engine.stop(ME, ref).state()).isEqualTo(SandboxState.STOPPED);
    assertThat(fixture.host.launches).isEmpty();
    assertCode(ErrorCode.STORE_FAILED, () -> fixture.engine.delete(ME, ref));
    fixture.engine.database().mayBeWritten(true);
    fixture.engine.delete(ME, ref);
    assertThat(fixture.engine.list(ME, SandboxFilter.ALL)).isEmpty();
    assertThat(fixture.host.leftovers()).isEmpty();
  }

  @Test
  void aRunWhoseJournalCannotBeWrittenRuns() throws Exception {
    SandboxRef ref = fixture.createLasting("a");
    fixture.engine.database().mayBeWritten(false);
    RunStream run = fixture.engine.stream(ME, ref, RunRequest.of("python", "hang"));
    fixture.engine.journal().write();
    fixture.engine.interrupt(ME, ref, run.id());
    RunEvent event = run.next(EngineFixture.PATIENCE);
    while (!(event instanceof RunEvent.Finished)) {
      event = run.next(EngineFixture.PATIENCE);
    }
    assertThat(((RunEvent.Finished) event).outcome()).isEqualTo(Outcome.INTERRUPTED);
    fixture.engine.database().mayBeWritten(true);
  }
}
