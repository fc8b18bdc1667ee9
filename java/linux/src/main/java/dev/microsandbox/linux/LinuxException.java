package dev.microsandbox.linux;

import java.io.IOException;
import java.io.Serial;

/// The kernel, or a program of the host, refused something. The message may hold paths of the host:
/// for the log, not for tenants.
public final class LinuxException extends IOException {
  @Serial private static final long serialVersionUID = 1;

  private final int errno;

  LinuxException(String what, int errno) {
    super(what + ": " + Errno.name(errno));
    this.errno = errno;
  }

  /// For what is known without an error number.
  public LinuxException(String what) {
    super(what);
    this.errno = 0;
  }

  /// Of the failed call, 0 where there was none.
  public int errno() {
    return errno;
  }
}
