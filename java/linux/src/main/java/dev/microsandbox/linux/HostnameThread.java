package dev.microsandbox.linux;

import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// The one thread of the server that enters sandboxes' UTS namespaces, names them, and leaves
/// again. No other thread is ever in one, so the server's own name is never at risk, and a claim
/// does not pay for a thread of its own.
final class HostnameThread {
  private static final long CLONE_NEWUTS = 0x0400_0000;
  private static final int ESRCH = 3;
  private static final Path OWN = Path.of("/proc/thread-self/ns/uts");

  private static final ExecutorService THREAD =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("host-names").factory());

  private HostnameThread() {}

  /// Names the namespace of the process that the descriptor holds.
  ///
  /// @return fails with a [LinuxException] where the process has ended
  static CompletableFuture<Void> name(Descriptor pidfd, String name) {
    return CompletableFuture.runAsync(
        () -> {
          try {
            enterAndName(pidfd, name);
          } catch (LinuxException e) {
            throw new CompletionException(e);
          }
        },
        THREAD);
  }

  private static void enterAndName(Descriptor pidfd, String name) throws LinuxException {
    try (Descriptor own = Descriptor.open(OWN, Descriptor.O_RDONLY)) {
      synchronized (pidfd) {
        if (!pidfd.isOpen()) {
          throw new LinuxException("the process has ended", ESRCH);
        }
        Kernel.call("cannot enter a UTS namespace", Syscall.SETNS, pidfd.number(), CLONE_NEWUTS);
      }
      try (Arena arena = Arena.ofConfined()) {
        int length = name.getBytes(StandardCharsets.UTF_8).length;
        Kernel.call(
            "cannot set a host name", Syscall.SETHOSTNAME, Kernel.text(arena, name), length);
      } finally {
        // So that a sandbox's namespace does not outlive it for the sake of this thread.
        Kernel.call("cannot leave a UTS namespace", Syscall.SETNS, own.number(), CLONE_NEWUTS);
      }
    }
  }
}
