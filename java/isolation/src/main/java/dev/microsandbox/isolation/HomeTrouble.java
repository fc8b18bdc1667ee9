package dev.microsandbox.isolation;

import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.util.Map;

/// What is said where the server's folders cannot be written at its start: the same by the store
/// and by every driver, for it depends on their order alone who meets it first.
public final class HomeTrouble {
  private static final String FULL = "No space left on device";

  private HomeTrouble() {}

  /// `disk_full` where there is no room, else `store_failed` with the host's own reason.
  public static SandboxException of(IOException cause) {
    String reason = reason(cause);
    if (reason.contains(FULL)) {
      return new SandboxException(
          ErrorCode.DISK_FULL,
          "the disk of the server's home is full; make room there, or set MICROSANDBOX_HOME",
          Map.of("where", "host"),
          cause);
    }
    return new SandboxException(
        ErrorCode.STORE_FAILED,
        "the server's home or its folder of sockets cannot be written: "
            + reason
            + "; run as root, and see that the disk is mounted writable, or set MICROSANDBOX_HOME",
        Map.of(),
        cause);
  }

  /// The kernel's words without the path.
  private static String reason(IOException cause) {
    String reason = cause instanceof FileSystemException of ? of.getReason() : null;
    if (reason == null) {
      reason = cause.getMessage();
    }
    return reason == null ? cause.getClass().getSimpleName() : reason;
  }
}
