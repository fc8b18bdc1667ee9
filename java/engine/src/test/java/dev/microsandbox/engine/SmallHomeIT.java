package dev.microsandbox.engine;

import static dev.microsandbox.engine.EngineFixture.until;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A home on a small file system of its own, which is filled or cannot be written any more under a
/// real server. When the server has ended the file system is unmounted at the first try, so nothing
/// uses a file of it, and its loop device clears itself, so no mount namespace has a copy of it.
///
/// It is mounted in a mount namespace of this test's, for others that begin meanwhile, such as
/// another server's, would keep a copy.
@Timeout(300)
class SmallHomeIT {
  private final Path home = RealEngine.newHome();

  @BeforeEach
  void makeDisk() throws Exception {
    try (RandomAccessFile disk = new RandomAccessFile(disk().toFile(), "rw")) {
      disk.setLength(64 << 20);
    }
    Process mkfs = new ProcessBuilder("mkfs.ext4", "-q", "-m", "0", disk().toString()).start();
    assertThat(mkfs.waitFor()).isZero();
  }

  @AfterEach
  void nothingIsLeft() throws Exception {
    // The kernel lets go of a loop device a moment after its last use.
    until(() -> devices().isEmpty());
    assertThat(Leftovers.ids(home)).isEmpty();
    Files.delete(disk());
    Files.delete(home);
    // Empty but for the folder itself.
    Files.deleteIfExists(home.resolveSibling(home.getFileName() + ".r"));
  }

  /// Loop devices over the disk, or over a layer that is on it.
  private List<String> devices() {
    List<String> found = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/sys/block"), "loop*")) {
      for (Path device : all) {
        String backing = backing(device);
        if (backing.contains(home.toString())) {
          found.add(device + " " + backing);
        }
      }
      return found;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String backing(Path device) {
    try {
      return Files.readString(device.resolve("loop/backing_file"));
    } catch (IOException _) {
      return ""; // it is not set up
    }
  }

  private Path disk() {
    return home.resolveSibling(home.getFileName() + ".disk");
  }

  /// Runs a script of the shell on the mounted home, in which `server SCENARIO "$@"` runs one
  /// server.
  private void onHome(String script) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                "unshare",
                "--mount",
                "--propagation",
                "private",
                "sh",
                "-euc",
                """
                home=$1 disk=$2 scenario=
                shift 2
                server() { scenario=$1; shift; "$@" "$home" "$scenario"; }
                use() { mount -o loop,errors=remount-ro "$disk" "$home"; chmod 0711 "$home"; }
                use
                """
                    + script
                    + "\numount \"$home\"\n",
                "sh",
                home.toString(),
                disk().toString()));
    command.addAll(KilledServer.command(SmallHomeServer.class));
    assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
  }

  @Test
  void aFullDiskIsSaidAndNothingIsHalfMade() throws Exception {
    onHome("server FILLED \"$@\"");
  }

  @Test
  void aSandboxThatFillsTheDiskHurtsItselfAlone() throws Exception {
    onHome("server FILLED_BY_A_SANDBOX \"$@\"");
  }

  @Test
  void aDiskThatIsFullAtTheFirstStartIsSaid() throws Exception {
    onHome("server FULL_AT_THE_FIRST_START \"$@\"");
  }

  @Test
  void aDiskThatHasBecomeFullIsSaidAtTheNextStartAndSandboxesGoOn() throws Exception {
    onHome(
        """
        server LEFT_BEHIND "$@"
        server FULL_AT_THE_NEXT_START "$@"
        server TAKEN_OVER "$@"
        """);
  }

  @Test
  void aHomeThatCannotBeWrittenIsSaidAtTheStart() throws Exception {
    onHome(
        """
        server USED "$@"
        mount -o remount,ro "$home"
        server READ_ONLY_AT_THE_START "$@"
        mount -o remount,rw "$home"
        server USED_AGAIN "$@"
        """);
  }

  @Test
  void aDiskThatFailsUnderAServerIsSaid() throws Exception {
    onHome(
        """
        server USED "$@"
        server FAILING "$@"
        umount "$home"
        e2fsck -p "$disk" || [ $? -le 1 ]
        use
        server USED_AGAIN "$@"
        """);
  }
}
