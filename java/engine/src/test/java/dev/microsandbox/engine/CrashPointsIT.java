package dev.microsandbox.engine;

import static dev.microsandbox.engine.EngineFixture.until;
import static dev.microsandbox.engine.RealEngine.ME;
import static org.assertj.core.api.Assertions.assertThat;

import dev.microsandbox.engine.CrashingServer.Operation;
import dev.microsandbox.linux.Trees;
import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.Outcome;
import dev.microsandbox.model.SandboxId;
import dev.microsandbox.model.SandboxState;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A real server process dies after each entry that an operation makes in its store, by
/// enumeration; the next server finds containers, disks and control groups as they were left.
@Timeout(600)
class CrashPointsIT {
  private static final SandboxRef BOX = SandboxRef.of("box");

  @ParameterizedTest
  @EnumSource
  void nothingAcknowledgedIsLostAndNothingElseIsLeft(Operation operation) throws Exception {
    int points = 0;
    while (!cutShort(operation, points + 1)) {
      points++;
    }
    System.out.println("crash points of " + operation + " on this host: " + points);
    assertThat(points).as("an operation that makes entries").isPositive();
  }

  /// @return whether the operation came through, for it makes fewer entries
  private boolean cutShort(Operation operation, int entry) throws Exception {
    Path home = RealEngine.newHome();
    try {
      Process process =
          KilledServer.start(
              CrashingServer.class, home.toString(), operation.name(), Integer.toString(entry));
      List<String> said =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
              .lines()
              .toList();
      assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
      boolean through = said.contains("through");
      assertThat(process.exitValue()).isEqualTo(through ? 0 : CrashingServer.KILLED);
      Set<SandboxId> known = Leftovers.ids(home);
      try (RealEngine after = new RealEngine(home)) {
        settle(after);
        check(after, home);
        checkOutcome(operation, after, said, through);
        after
            .engine
            .list(ME, SandboxFilter.ALL)
            .forEach(info -> after.engine.delete(ME, SandboxRef.of(info.id())));
      }
      for (SandboxId id : known) {
        until(() -> Leftovers.of(id, home).isEmpty());
      }
      return through;
    } finally {
      Trees.delete(home);
    }
  }

  private static void settle(RealEngine server) throws InterruptedException {
    for (SandboxInfo info : server.engine.list(ME, SandboxFilter.ALL)) {
      SandboxRef ref = SandboxRef.of(info.id());
      until(() ->
          server.engine.get(ME, ref).state() != SandboxState.RUNNING
              || server.engine.metrics(ME, ref).running());
    }
  }

  /// Whatever is on the host belongs to a sandbox that can be seen, and each of these is whole.
  private static void check(RealEngine server, Path home) throws InterruptedException {
    // The probe of this host has a sandbox of its own for a moment.
    assertThat(server.engine.findings()).isNotEmpty();
    Set<SandboxId> listed = new HashSet<>();
    for (SandboxInfo info : server.engine.list(ME, SandboxFilter.ALL)) {
      listed.add(info.id());
      SandboxRef ref = SandboxRef.of(info.id());
      if (info.state() == SandboxState.STOPPED) {
        server.engine.start(ME, ref);
      }
      assertThat(server.python(ref, "print(6 * 7)").stdout().text()).isEqualTo("42\n");
    }
    assertThat(Leftovers.ids(home)).isEqualTo(listed);
  }

  private static void checkOutcome(
      Operation operation, RealEngine server, List<String> said, boolean through)
      throws InterruptedException {
    switch (operation) {
      case CREATE, CLAIM -> {
        kept(server);
        if (through) {
          assertThat(names(server)).contains("new");
        }
      }
      case START -> assertThat(names(server)).containsExactly("box");
      case STOP -> kept(server);
      case RUN -> {
        kept(server);
        for (String line : said) {
          if (line.startsWith("run ")) {
            wholeRun(server, new ObjectId(line.substring("run ".length())));
          }
        }
      }
      case STOP_EPHEMERAL, DELETE -> assertThat(names(server)).isEmpty();
    }
  }

  private static List<String> names(RealEngine server) {
    return server.engine.list(ME, SandboxFilter.ALL).stream()
        .map(info -> info.spec().name().value())
        .toList();
  }

  private static void kept(RealEngine server) throws InterruptedException {
    assertThat(server.command(BOX, "cat", "note").stdout().text()).isEqualTo("kept\n");
  }

  /// A client that was cut off gets all of the run's output, and its outcome.
  private static void wholeRun(RealEngine server, ObjectId run) throws InterruptedException {
    StringBuilder output = new StringBuilder();
    try (RunStream stream = server.engine.attach(ME, BOX, run, 0)) {
      while (true) {
        RunEvent event = Objects.requireNonNull(stream.next(Duration.ofSeconds(60)));
        if (event instanceof RunEvent.Output some) {
          output.append(new String(some.bytes(), StandardCharsets.UTF_8));
        } else if (event instanceof RunEvent.Finished end) {
          assertThat(end.outcome()).isEqualTo(Outcome.EXITED);
          assertThat(end.exitCode()).isZero();
          break;
        }
      }
    }
    assertThat(output.toString()).isEqualTo("one\ntwo\n");
  }
}
