package dev.microsandbox.linux;

import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// One platform thread of the server that has a mount namespace of its own. What it mounts nobody
/// else sees, what it starts inherits it, and all of it vanishes with the server, however that
/// ends.
///
/// Tasks are short: nothing waits on it.
final class NamespaceThread implements AutoCloseable {
  private static final long CLONE_NEWNS = 0x20000;
  private static final long MS_REC = 0x4000;
  private static final long MS_SLAVE = 0x80000;

  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          Thread.ofPlatform().daemon().name("mount-namespace").factory());

  static NamespaceThread open() throws IOException {
    NamespaceThread created = new NamespaceThread();
    try {
      created.call(() -> {
        enter();
        return true;
      });
      return created;
    } catch (IOException | RuntimeException e) {
      created.close();
      throw e;
    }
  }

  /// What the host mounts later still arrives here; nothing that is mounted here gets out.
  private static void enter() throws LinuxException {
    Kernel.call("cannot make a mount namespace", Syscall.UNSHARE, CLONE_NEWNS);
    try (var arena = java.lang.foreign.Arena.ofConfined()) {
      long root = Kernel.text(arena, "/");
      Kernel.call(
          "cannot part from the host's mounts", Syscall.MOUNT, 0, root, 0, MS_REC | MS_SLAVE);
    }
  }

  /// Does a piece of work in the namespace and waits for it. Not interruptible: the work is short,
  /// and half a mount is worse than a late answer.
  <T> T call(Callable<T> work) throws IOException {
    var task = thread.submit(work);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException cause -> throw cause;
        case RuntimeException cause -> throw cause;
        case Error cause -> throw cause;
        case null, default -> throw new IllegalStateException(e);
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Override
  public void close() {
    thread.shutdown();
  }
}
