package dev.microsandbox.engine;

import dev.microsandbox.isolation.HomeTrouble;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;

/// Keeps a second server from the same home. The kernel lets go of it when its process ends,
/// however that comes about.
final class HomeLock implements AutoCloseable {
  private final FileChannel channel;

  private HomeLock(FileChannel channel) {
    this.channel = channel;
  }

  /// Makes the home where there is none. Others may pass through it, as sandboxes' roots have to,
  /// but see nothing.
  static HomeLock take(Path home) {
    try {
      makeHome(home);
      FileChannel channel =
          FileChannel.open(
              home.resolve("server.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (tryLock(channel) == null) {
        channel.close();
        throw new SandboxException(
            ErrorCode.HOME_IN_USE,
            "another server runs on this home; stop it, or set MICROSANDBOX_HOME to another");
      }
      return new HomeLock(channel);
    } catch (IOException e) {
      throw HomeTrouble.of(e);
    }
  }

  private static void makeHome(Path home) throws IOException {
    if (!Files.isDirectory(home)) {
      Files.createDirectories(
          home, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx--x--x")));
    }
  }

  private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException _) {
      return null; // a server in this very process
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      System.getLogger(HomeLock.class.getName())
          .log(System.Logger.Level.WARNING, "the home's lock could not be closed", e);
    }
  }
}
