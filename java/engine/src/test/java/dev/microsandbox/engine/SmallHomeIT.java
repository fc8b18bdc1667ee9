package dev.microsandbox.engine;

import static dev.microsandbox.engine.EngineFixture.until;
import static dev.microsandbox.engine.RealEngine.ME;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.microsandbox.linux.Trees;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.ImageReference;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxId;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A home on a small file system of its own, which is filled or made read-only under a real server.
@Timeout(300)
class SmallHomeIT {
  private static final byte[] PAGE = new byte[4096];

  private final Path home = RealEngine.newHome();

  @BeforeEach
  void mount() throws Exception {
    try (RandomAccessFile disk = new RandomAccessFile(disk().toFile(), "rw")) {
      disk.setLength(64 << 20);
    }
    command("mkfs.ext4", "-q", "-m", "0", disk().toString());
    command("mount", "-o", "loop", disk().toString(), home.toString());
    Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwx--x--x"));
  }

  @AfterEach
  void unmount() throws Exception {
    // The kernel lets go of a loop device a moment after its last use.
    until(this::unmounted);
    Files.delete(disk());
    Trees.delete(home);
  }

  private boolean unmounted() {
    try {
      return new ProcessBuilder("umount", home.toString()).start().waitFor() == 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private Path disk() {
    return home.resolveSibling(home.getFileName() + ".disk");
  }

  private static void command(String... words) throws Exception {
    assertThat(new ProcessBuilder(words).inheritIO().start().waitFor()).isZero();
  }

  /// Takes all that is left.
  private void fill() throws Exception {
    try (OutputStream file = Files.newOutputStream(home.resolve("ballast"))) {
      while (true) {
        file.write(PAGE);
      }
    } catch (IOException full) {
      assertThat(full).hasMessageContaining("No space left");
    }
  }

  private void assertOnly(RealEngine server, SandboxRef... sandboxes) throws InterruptedException {
    // The probe of this host has a sandbox of its own for a moment.
    assertThat(server.engine.findings()).isNotEmpty();
    assertThat(server.engine.list(ME, SandboxFilter.ALL)).hasSize(sandboxes.length);
    Set<SandboxId> known =
        new java.util.HashSet<>(
            java.util.Arrays.stream(sandboxes)
                .map(ref -> server.engine.get(ME, ref).id())
                .toList());
    until(() -> Leftovers.ids(home).equals(known));
  }

  @Test
  void aFullDiskIsSaidAndNothingIsHalfMade() throws Exception {
    try (RealEngine server = new RealEngine(home)) {
      SandboxRef first = server.create("first", false);
      server.python(first, "x = 1");
      fill();
      assertThat(catchThrowableOfType(SandboxException.class, () -> server.create("second", false)))
          .satisfies(e -> {
            assertThat(e.code()).as(e.message()).isEqualTo(ErrorCode.DISK_FULL);
            assertThat(e.details()).containsEntry("where", "host");
          });
      assertOnly(server, first);
      assertThat(server.python(first, "print(x)").stdout().text()).isEqualTo("1\n");
      assertThat(server.engine.stop(ME, first).state().wireName()).isEqualTo("stopped");
      server.engine.delete(ME, first);
      assertOnly(server);
      Files.delete(home.resolve("ballast"));
      SandboxRef second =
          SandboxRef.of(
              server
                  .engine
                  .create(ME, RealEngine.spec("second", ImageReference.PYTHON, true))
                  .id());
      assertThat(server.python(second, "print(2)").stdout().text()).isEqualTo("2\n");
      server.engine.stop(ME, second);
      assertOnly(server);
    }
  }

  @Test
  void aHomeThatCannotBeWrittenIsSaidAtTheStart() throws Exception {
    new RealEngine(home).close();
    command("mount", "-o", "remount,ro", home.toString());
    try {
      SandboxException failure =
          catchThrowableOfType(SandboxException.class, () -> new RealEngine(home).close());
      assertThat(failure.code()).isIn(ErrorCode.STORE_FAILED, ErrorCode.ISOLATION_UNAVAILABLE);
    } finally {
      command("mount", "-o", "remount,rw", home.toString());
    }
    try (RealEngine server = new RealEngine(home)) {
      assertThat(server.engine.findings()).isNotEmpty();
      assertThat(server.engine.list(ME, SandboxFilter.ALL)).isEmpty();
      SandboxRef sandbox = server.create("after", true);
      assertThat(server.python(sandbox, "print(1)").stdout().text()).isEqualTo("1\n");
      server.engine.stop(ME, sandbox);
    }
  }
}
