package dev.microsandbox.engine;

import static dev.microsandbox.engine.EngineFixture.ME;
import static dev.microsandbox.engine.EngineFixture.spec;
import static dev.microsandbox.engine.EngineFixture.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.microsandbox.model.EndReason;
import dev.microsandbox.model.SandboxState;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TimeTest {
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

  private void pass(Duration time) throws InterruptedException {
    fixture.clock.advance(time);
    fixture.engine.sweep();
    Thread.sleep(100);
  }

  private SandboxState state(SandboxRef ref) {
    return fixture.engine.get(ME, ref).state();
  }

  @Test
  void aSandboxIsInUseWhileAFileIsCarried() throws InterruptedException {
    SandboxRef ref = fixture.createLasting("a");
    WholeFiles.write(
        fixture.engine.writeFile(EngineFixture.ME, ref, FileWrite.of("x")), new byte[1]);
    FileSource reading = fixture.engine.readFile(EngineFixture.ME, ref, "x", "");
    FileSink writing = fixture.engine.writeFile(EngineFixture.ME, ref, FileWrite.of("y"));
    pass(Duration.ofHours(5));
    reading.close();
    pass(Duration.ofHours(5));
    assertThat(state(ref)).isEqualTo(SandboxState.RUNNING);
    writing.close();
    pass(Duration.ofHours(5));
    assertThat(state(ref)).isEqualTo(SandboxState.STOPPED);
  }

  @Test
  void anUnusedSandboxIsStopped() throws InterruptedException {
    SandboxRef ref = fixture.createLasting("a");
    pass(Duration.ofMinutes(59));
    assertThat(state(ref)).isEqualTo(SandboxState.RUNNING);
    pass(Duration.ofMinutes(2));
    until(() -> state(ref) == SandboxState.STOPPED);
    assertThat(fixture.engine.get(ME, ref).endReason()).isEqualTo(EndReason.IDLE);
  }

  @Test
  void useCountsAndSoDoesWhatRuns() throws InterruptedException {
    SandboxRef ref = fixture.createLasting("a");
    pass(Duration.ofMinutes(50));
    fixture.run(ref, "print x");
    pass(Duration.ofMinutes(50));
    assertThat(state(ref)).isEqualTo(SandboxState.RUNNING);
    fixture.engine.extend(ME, ref, TimeLimits.TOUCH);
    pass(Duration.ofMinutes(50));
    assertThat(state(ref)).isEqualTo(SandboxState.RUNNING);
    RunHandle run = fixture.engine.run(ME, ref, RunRequest.of("python", "hang"));
    pass(Duration.ofHours(5));
    assertThat(state(ref)).isEqualTo(SandboxState.RUNNING);
    run.interrupt();
    run.await();
    pass(Duration.ofMinutes(61));
    until(() -> state(ref) == SandboxState.STOPPED);
  }

  @Test
  void zeroMeansNever() throws InterruptedException {
    SandboxRef ref = fixture.createLasting("a");
    fixture.engine.extend(ME, ref, new TimeLimits(null, Duration.ZERO));
    pass(Duration.ofDays(30));
    assertThat(state(ref)).isEqualTo(SandboxState.RUNNING);
  }

  @Test
  void anExpiredSandboxIsRemovedInUseOrNot() throws InterruptedException {
    SandboxRef ref =
        SandboxRef.of(
            fixture.engine.create(ME, spec(ME.owner(), "a", false, Duration.ofMinutes(5))).id());
    RunHandle run = fixture.engine.run(ME, ref, RunRequest.of("python", "hang"));
    pass(Duration.ofMinutes(4));
    assertThat(state(ref)).isEqualTo(SandboxState.RUNNING);
    pass(Duration.ofMinutes(2));
    run.await();
    until(() -> fixture.host.leftovers().isEmpty());
    until(() -> fixture.engine.list(ME, SandboxFilter.ALL).isEmpty());
  }

  @Test
  void aLifeCanBeProlonged() throws InterruptedException {
    SandboxRef ref =
        SandboxRef.of(
            fixture.engine.create(ME, spec(ME.owner(), "a", false, Duration.ofMinutes(5))).id());
    SandboxInfo info = fixture.engine.extend(ME, ref, new TimeLimits(Duration.ofMinutes(30), null));
    assertThat(info.expiresAt()).isEqualTo(fixture.clock.now().plus(Duration.ofMinutes(30)));
    pass(Duration.ofMinutes(20));
    assertThat(state(ref)).isEqualTo(SandboxState.RUNNING);
    fixture.engine.extend(ME, ref, new TimeLimits(Duration.ZERO, null));
    assertThat(fixture.engine.get(ME, ref).expiresAt()).isNull();
  }

  @Test
  void aChangeOfTheHostsTimeEndsNothing() throws InterruptedException {
    SandboxRef ref =
        SandboxRef.of(
            fixture.engine.create(ME, spec(ME.owner(), "a", false, Duration.ofMinutes(5))).id());
    fixture.clock.step(Duration.ofDays(365));
    pass(Duration.ofSeconds(1));
    assertThat(state(ref)).isEqualTo(SandboxState.RUNNING);
  }
}
