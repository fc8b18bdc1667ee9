package dev.microsandbox.engine;

import static dev.microsandbox.engine.EngineFixture.until;
import static dev.microsandbox.engine.RealEngine.ME;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.microsandbox.model.ByteSize;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.ImageReference;
import dev.microsandbox.model.Limits;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxId;
import dev.microsandbox.model.SandboxSpec;
import dev.microsandbox.model.SandboxState;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/// A server process whose home is a small file system of its own; see [SmallHomeIT]. A process, as
/// a user's server is one: it has SQLite's library mapped from the home until it ends. Arguments:
/// home, and what shall happen to it. The first claim that does not hold ends the process with an
/// exit code and a stack.
final class SmallHomeServer {
  private static final byte[] PAGE = new byte[4096];
  private static final long ROOM = 8 << 20;
  private static final SandboxRef KEPT = SandboxRef.of("kept");

  /// A program inside that wants more than the host's disk has.
  private static final String GROW =
      """
      import errno, os
      try:
          with open('big', 'wb') as file:
              while True:
                  file.write(os.urandom(1 << 20)); file.flush(); os.fsync(file.fileno())
      except OSError as e:
          print(errno.errorcode[e.errno])
      """;

  private static final String SHRINK = "os.remove('big'); os.sync()";

  private static final String KEEP =
      """
      with open('small', 'w') as file:
          file.write('kept'); file.flush(); os.fsync(file.fileno())
      """;

  private final Path home;

  private SmallHomeServer(Path home) {
    this.home = home;
  }

  /// What happens to the home.
  enum Scenario {
    FILLED(SmallHomeServer::filled),
    FILLED_BY_A_SANDBOX(SmallHomeServer::filledByASandbox),
    FULL_AT_THE_FIRST_START(SmallHomeServer::fullAtTheFirstStart),
    FULL_AT_THE_NEXT_START(SmallHomeServer::fullAtTheNextStart),
    LEFT_BEHIND(SmallHomeServer::leftBehind),
    TAKEN_OVER(SmallHomeServer::takenOver),
    USED(SmallHomeServer::used),
    READ_ONLY_AT_THE_START(SmallHomeServer::readOnlyAtTheStart),
    FAILING(SmallHomeServer::failing),
    USED_AGAIN(SmallHomeServer::usedAgain);

    private final Part part;

    Scenario(Part part) {
      this.part = part;
    }

    private interface Part {
      void play(SmallHomeServer server) throws Exception;
    }
  }

  public static void main(String[] arguments) throws Exception {
    Scenario.valueOf(arguments[1]).part.play(new SmallHomeServer(Path.of(arguments[0])));
  }

  /// Sockets are in memory, as `/run` is.
  private RealEngine open() {
    return new RealEngine(home, sockets(), Map.of());
  }

  private Path sockets() {
    return home.resolveSibling(home.getFileName() + ".r");
  }

  // ---------------------------------------------------------------- a full disk

  private void filled() throws Exception {
    try (RealEngine server = open()) {
      SandboxRef first = server.create("first", false);
      SandboxRef stopped = server.create("stopped", false);
      server.engine.stop(ME, stopped);
      server.python(first, "x = 1");
      assertOnly(server, first, stopped);
      fill();
      Set<String> before = files();
      assertFull(() -> server.create("second", false));
      assertFull(() -> server.engine.create(ME, ofAnotherSize("third")));
      assertThat(files()).as("nothing half made").isEqualTo(before);
      assertOnly(server, first, stopped);
      assertThat(server.python(first, "print(x)").stdout().text()).isEqualTo("1\n");
      assertThat(server.engine.stop(ME, first).state()).isEqualTo(SandboxState.STOPPED);
      server.engine.delete(ME, first);
      assertOnly(server, stopped);
      makeRoom();
      assertThat(server.engine.start(ME, stopped).state()).isEqualTo(SandboxState.RUNNING);
      assertWorks(server, "second");
      server.engine.delete(ME, stopped);
      assertOnly(server);
    }
  }

  /// What docs/operations.md says of a layer that cannot grow.
  private void filledByASandbox() throws Exception {
    try (RealEngine server = open()) {
      SandboxRef greedy = server.create("greedy", false);
      SandboxRef other = server.create("other", false);
      server.python(other, "y = 2");
      assertThat(server.python(greedy, GROW).stdout().text()).isEqualTo("ENOSPC\n");
      assertFull(() -> server.create("third", false));
      assertThat(server.python(other, "print(y)").stdout().text()).isEqualTo("2\n");
      assertThat(server.python(greedy, SHRINK).error()).isNull();
      until(this::hasRoom);
      assertThat(server.python(greedy, KEEP).error()).isNull();
      assertWorks(server, "third");
      server.engine.stop(ME, greedy);
      server.engine.start(ME, greedy);
      String kept = server.python(greedy, "print(open('small').read())").stdout().text();
      assertThat(kept).isEqualTo("kept\n");
      server.engine.delete(ME, greedy);
      server.engine.delete(ME, other);
      assertOnly(server);
    }
  }

  private boolean hasRoom() {
    return home.toFile().getUsableSpace() > ROOM;
  }

  private void fullAtTheFirstStart() throws Exception {
    fill();
    assertFull(() -> open().close());
    assertThat(files())
        .as("nothing half made")
        .containsExactlyInAnyOrder("", "lost+found", "ballast");
    makeRoom();
    try (RealEngine server = open()) {
      assertWorks(server, "first");
      assertOnly(server);
    }
  }

  /// As after a restart of a host whose disk is full.
  private void fullAtTheNextStart() throws Exception {
    fill();
    assertFull(() -> open().close());
    makeRoom();
  }

  private void leftBehind() throws Exception {
    try (RealEngine server = open()) {
      server.python(server.create("kept", false), "x = 1");
      server.engine.letGo();
    }
  }

  private void takenOver() throws Exception {
    try (RealEngine server = open()) {
      assertThat(server.python(KEPT, "print(x)").stdout().text()).isEqualTo("1\n");
      server.engine.delete(ME, KEPT);
      assertOnly(server);
    }
  }

  // ---------------------------------------------------------------- a disk that cannot be written

  private void used() throws Exception {
    try (RealEngine server = open()) {
      SandboxRef kept = server.create("kept", false);
      server.command(kept, "sh", "-c", "echo kept > note");
    }
  }

  private void readOnlyAtTheStart() {
    assertThat(catchThrowableOfType(SandboxException.class, () -> open().close()))
        .satisfies(e -> {
          assertThat(e.code()).isEqualTo(ErrorCode.STORE_FAILED);
          assertThat(e).hasMessageContaining("Read-only file system");
        });
  }

  /// The disk fails under the server, and its file system turns itself read-only.
  private void failing() throws Exception {
    try (RealEngine server = open()) {
      SandboxRef running = server.create("running", false);
      server.python(running, "x = 1");
      assertOnly(server, KEPT, running);
      Files.writeString(fault(), "a disk that fails");
      Set<String> before = files();
      assertStoreFailed(() -> server.create("second", false));
      assertStoreFailed(() -> server.engine.start(ME, KEPT));
      assertStoreFailed(() -> server.engine.delete(ME, KEPT));
      assertThat(files()).as("nothing half made").isEqualTo(before);
      assertThat(server.engine.list(ME, SandboxFilter.ALL)).hasSize(2);
      assertThat(server.python(running, "print(x)").stdout().text()).isEqualTo("1\n");
      SandboxId id = server.engine.get(ME, running).id();
      assertThat(server.engine.stop(ME, running).state()).isEqualTo(SandboxState.STOPPED);
      assertThat(Leftovers.of(id, sockets())).as("an end needs no disk").isEmpty();
    }
  }

  private void usedAgain() throws Exception {
    try (RealEngine server = open()) {
      server.engine.start(ME, KEPT);
      assertThat(server.command(KEPT, "cat", "note").stdout().text()).isEqualTo("kept\n");
      for (SandboxInfo info : server.engine.list(ME, SandboxFilter.ALL)) {
        server.engine.delete(ME, SandboxRef.of(info.id()));
      }
      assertWorks(server, "after");
      assertOnly(server);
    }
  }

  // ---------------------------------------------------------------- what is looked at

  private static void assertFull(ThrowingCallable call) {
    assertThat(catchThrowableOfType(SandboxException.class, call))
        .satisfies(e -> {
          assertThat(e.code()).as(e.message()).isEqualTo(ErrorCode.DISK_FULL);
          assertThat(e.details()).containsEntry("where", "host");
        });
  }

  private static void assertStoreFailed(ThrowingCallable call) {
    assertThat(catchThrowableOfType(SandboxException.class, call).code())
        .isEqualTo(ErrorCode.STORE_FAILED);
  }

  private static void assertWorks(RealEngine server, String name) throws InterruptedException {
    SandboxRef sandbox = server.create(name, true);
    assertThat(server.python(sandbox, "print(2)").stdout().text()).isEqualTo("2\n");
    server.engine.stop(ME, sandbox);
  }

  private void assertOnly(RealEngine server, SandboxRef... sandboxes) throws InterruptedException {
    // The probe of this host has a sandbox of its own for a moment.
    assertThat(server.engine.findings()).isNotEmpty();
    Set<SandboxId> known =
        Arrays.stream(sandboxes)
            .map(ref -> server.engine.get(ME, ref).id())
            .collect(Collectors.toSet());
    assertThat(server.engine.list(ME, SandboxFilter.ALL))
        .extracting(SandboxInfo::id)
        .containsExactlyInAnyOrderElementsOf(known);
    until(() -> Leftovers.ids(home).equals(known));
  }

  private static SandboxSpec ofAnotherSize(String name) {
    SandboxSpec usual = RealEngine.spec(name, ImageReference.PYTHON, false);
    Limits limits = usual.limits();
    return new SandboxSpec(
        usual.owner(),
        usual.namespace(),
        usual.name(),
        usual.image(),
        null,
        new Limits(limits.memory(), limits.cpus(), limits.processes(), ByteSize.ofMib(300)),
        usual.environment(),
        usual.labels(),
        usual.network(),
        null,
        usual.idleTimeout(),
        false);
  }

  /// Takes all that is left.
  private void fill() throws IOException {
    try (OutputStream file = Files.newOutputStream(ballast())) {
      while (true) {
        file.write(PAGE);
      }
    } catch (IOException full) {
      assertThat(full).hasMessageContaining("No space left");
    }
  }

  private void makeRoom() throws IOException {
    Files.delete(ballast());
  }

  private Path ballast() {
    return home.resolve("ballast");
  }

  /// The kernel's own way of trying what a file system does when its disk fails.
  private Path fault() throws IOException {
    String device = Path.of(Files.getFileStore(home).name()).getFileName().toString();
    return Path.of("/sys/fs/ext4", device, "trigger_fs_error");
  }

  private Set<String> files() {
    try (Stream<Path> all = Files.walk(home)) {
      return all.map(home::relativize).map(Path::toString).collect(Collectors.toSet());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
