package dev.microsandbox.engine;

import static dev.microsandbox.engine.EngineFixture.ME;
import static dev.microsandbox.engine.EngineFixture.spec;
import static dev.microsandbox.engine.LifecycleTest.assertCode;
import static org.assertj.core.api.Assertions.assertThat;

import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxSpec;
import dev.microsandbox.model.SandboxState;
import java.nio.file.Path;
import java.sql.Statement;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A database that cannot grow, as on a full disk.
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
        .write(connection -> {
          try (Statement statement = connection.createStatement()) {
            // A number below the present size means that size.
            statement.execute("PRAGMA max_page_count = " + (grows ? 1_000_000 : 1));
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
}
