package dev.microsandbox.engine;

import static dev.microsandbox.engine.EngineFixture.until;
import static dev.microsandbox.engine.RealEngine.ME;
import static org.assertj.core.api.Assertions.assertThat;

import dev.microsandbox.linux.Trees;
import dev.microsandbox.model.EndReason;
import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.Outcome;
import dev.microsandbox.model.SandboxId;
import dev.microsandbox.model.SandboxState;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;

/// A real server process is killed by SIGKILL with sandboxes at work, things happen while there is
/// none, and the next server goes on with what there is.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Timeout(300)
class AdoptionIT {
  private static final SandboxRef BOX = SandboxRef.of("box");
  private static final Pattern TICK = Pattern.compile("tick (\\d+)\n");

  private final Path home = RealEngine.newHome();
  private ObjectId keeping;
  private ObjectId losing;
  private ObjectId command;
  private List<SandboxId> all;
  private RealEngine server;

  @BeforeAll
  void killAServer() throws Exception {
    Process process = KilledServer.start(home);
    try {
      String[] words = KilledServer.awaitReady(process);
      keeping = new ObjectId(words[1]);
      losing = new ObjectId(words[2]);
      command = new ObjectId(words[3]);
    } finally {
      KilledServer.kill(process);
    }
    all = sandboxes();
    whileThereIsNoServer();
    server = new RealEngine(home);
  }

  private void whileThereIsNoServer() throws Exception {
    kill("-KILL", Leftovers.firstProcess(id("victim")));
    kill("-KILL", Leftovers.firstProcess(id("brief")));
    // Left alone the kernel would take the program that wants the memory, as the agent has
    // arranged.
    long first = Leftovers.firstProcess(id("hungry"));
    Files.writeString(Path.of("/proc", Long.toString(first), "oom_score_adj"), "1000");
    kill("-USR1", Leftovers.process(id("hungry"), "sigwait"));
    until(() -> !Files.exists(Path.of("/proc", Long.toString(first))));
  }

  private static void kill(String signal, long pid) throws Exception {
    assertThat(new ProcessBuilder("kill", signal, Long.toString(pid)).start().waitFor()).isZero();
  }

  /// From the database of the server that is no more.
  private List<SandboxId> sandboxes() {
    try (Database database = Database.open(home.resolve("microsandbox.db"))) {
      return database.transaction(SandboxTable::all).stream().map(SandboxRecord::id).toList();
    }
  }

  private SandboxId id(String name) {
    try (Database database = Database.open(home.resolve("microsandbox.db"))) {
      return database.transaction(SandboxTable::all).stream()
          .filter(row -> row.spec().name().value().equals(name))
          .findAny()
          .orElseThrow()
          .id();
    }
  }

  @AfterAll
  void nothingIsLeft() throws Exception {
    try (RealEngine last = server == null ? new RealEngine(home) : server) {
      for (SandboxInfo info : last.engine.list(ME, SandboxFilter.ALL)) {
        last.engine.delete(ME, SandboxRef.of(info.id()));
      }
    }
    for (SandboxId id : all) {
      until(() -> Leftovers.of(id, home).isEmpty());
    }
    Trees.delete(home);
  }

  private String said(SandboxRef sandbox, String context, String code) throws InterruptedException {
    return server.engine.run(ME, sandbox, RunRequest.of(context, code)).await().stdout().text();
  }

  @Test
  @Order(1)
  void variablesOpenFilesAndContextsAreStillThere() throws InterruptedException {
    assertThat(said(BOX, "python", "print(x + 1)")).isEqualTo("42\n");
    assertThat(said(BOX, "second", "print(y)")).isEqualTo("other\n");
    assertThat(
            said(
                BOX, "python", "_ = note.write('after'); note.close(); print(open('note').read())"))
        .isEqualTo("before, after\n");
    assertThat(said(SandboxRef.of("node"), "node", "console.log(n * 2)")).isEqualTo("10\n");
  }

  @Test
  @Order(2)
  void whatACommandSaysWasKeptAndGoesOn() throws InterruptedException {
    List<Integer> ticks = ticks(command, 0, 40);
    assertThat(ticks)
        .containsExactlyElementsOf(IntStream.rangeClosed(1, ticks.size()).boxed().toList());
    // And from the middle of it: what came before is not said again.
    List<Integer> later = ticks(command, "tick 1\ntick 2\n".length(), 10);
    assertThat(later.getFirst()).isEqualTo(3);
    server.engine.interrupt(ME, BOX, command);
    assertThat(end(command).outcome()).isEqualTo(Outcome.INTERRUPTED);
  }

  /// The numbers in a run's output from this offset on, until there are so many.
  private List<Integer> ticks(ObjectId run, long offset, int enough) throws InterruptedException {
    StringBuilder said = new StringBuilder();
    try (RunStream stream = server.engine.attach(ME, BOX, run, offset)) {
      while (numbers(said).size() < enough) {
        RunEvent event = Objects.requireNonNull(stream.next(Duration.ofSeconds(60)));
        if (event instanceof RunEvent.Output output) {
          said.append(new String(output.bytes(), StandardCharsets.UTF_8));
        }
      }
    }
    return numbers(said);
  }

  private static List<Integer> numbers(CharSequence text) {
    Matcher matcher = TICK.matcher(text);
    return matcher.results().map(result -> Integer.valueOf(result.group(1))).toList();
  }

  private RunEvent.Finished end(ObjectId run) throws InterruptedException {
    try (RunStream stream = server.engine.attach(ME, BOX, run, 0)) {
      while (true) {
        RunEvent event = Objects.requireNonNull(stream.next(Duration.ofSeconds(60)));
        if (event instanceof RunEvent.Finished end) {
          return end;
        }
      }
    }
  }

  @Test
  @Order(3)
  void cellsGoOnWhetherTheyWereToOutliveTheirClientsOrNot() throws InterruptedException {
    assertThat(ticks(keeping, 0, 20)).startsWith(1, 2, 3);
    assertThat(ticks(losing, 0, 20)).startsWith(1, 2, 3);
    server.command(BOX, "touch", "stop");
    for (ObjectId cell : List.of(keeping, losing)) {
      assertThat(end(cell).outcome()).isEqualTo(Outcome.OK);
    }
    assertThat(said(BOX, "keeping", "print(i > 20)")).isEqualTo("True\n");
  }

  @Test
  @Order(4)
  void whatEndedMeanwhileIsToldTruthfully() throws InterruptedException {
    for (String name : List.of("victim", "hungry")) {
      until(() -> info(name).state() == SandboxState.STOPPED);
    }
    assertThat(info("victim").endReason()).isEqualTo(EndReason.EXITED);
    assertThat(info("hungry").endReason()).isEqualTo(EndReason.OUT_OF_MEMORY);
    assertThat(server.engine.list(ME, SandboxFilter.ALL))
        .extracting(info -> info.spec().name().value())
        .doesNotContain("brief");
    SandboxRef victim = SandboxRef.of("victim");
    server.engine.start(ME, victim);
    assertThat(server.command(victim, "cat", "note").stdout().text()).isEqualTo("kept\n");
  }

  /// A tenant's program dials as fast as it can and pretends to be the agent: nobody listens to it.
  @Test
  @Order(5)
  void aForgedHelloIsNotTakenForTheAgents() throws InterruptedException {
    SandboxRef forging = SandboxRef.of("forging");
    assertThat(said(forging, "python", "print(x)")).isEqualTo("7\n");
    assertThat(server.engine.contexts(ME, forging)).hasSize(1);
  }

  /// With the name of another sandbox it breaks a rule, which costs its own sandbox at most.
  @Test
  @Order(6)
  void whoPosesAsAnotherSandboxHarmsItselfAlone() throws InterruptedException {
    until(() ->
        info("posing").state() == SandboxState.STOPPED
            || server.engine.metrics(ME, SandboxRef.of("posing")).running());
    if (info("posing").state() == SandboxState.STOPPED) {
      assertThat(info("posing").endReason()).isEqualTo(EndReason.AGENT_LOST);
    }
    assertThat(said(BOX, "python", "print(x)")).isEqualTo("41\n");
  }

  private SandboxInfo info(String name) {
    return server.engine.get(ME, SandboxRef.of(name));
  }

  @Test
  @Order(7)
  void aSandboxThatWasTakenOverEndsAsAnyOther() throws InterruptedException, IOException {
    SandboxId id = info("box").id();
    server.engine.stop(ME, BOX);
    until(() -> Leftovers.of(id, home).isEmpty());
  }
}
