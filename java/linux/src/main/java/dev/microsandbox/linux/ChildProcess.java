package dev.microsandbox.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;

/// A program that this process has started: leader of its own session, held by a pidfd, reaped
/// once. Closing it kills what is still there of its process group, so that nothing is left behind.
final class ChildProcess implements AutoCloseable {
  private static final int SIGKILL = 9;
  private static final int P_PIDFD = 3;
  private static final int WEXITED = 4;
  private static final int CLD_EXITED = 1;
  private static final int SIGINFO = 128;
  private static final int SIGNALLED = 128;
  private static final Duration KILLED = Duration.ofSeconds(5);

  private final int pid;
  private final Descriptor pidfd;
  private boolean reaped;
  private int exitCode;

  private ChildProcess(int pid, Descriptor pidfd) {
    this.pid = pid;
    this.pidfd = pidfd;
  }

  static ChildProcess start(Spawn.Plan plan) throws LinuxException {
    int pid = Spawn.start(plan);
    // Nobody else reaps it, so its number cannot have been given to another yet.
    return new ChildProcess(
        pid, new Descriptor(Kernel.call("cannot hold a process", Syscall.PIDFD_OPEN, pid, 0)));
  }

  int pid() {
    return pid;
  }

  int pidfd() {
    return pidfd.number();
  }

  /// Whether it has ended within this time.
  boolean awaitEnd(Duration timeout) throws LinuxException {
    if (!reaped) {
      try (Poll poll = new Poll(1)) {
        poll.add(pidfd.number(), Poll.IN);
        if (poll.await(timeout)) {
          reap();
        }
      }
    }
    return reaped;
  }

  /// Its own, or 128 and the signal's number. Only once it has ended.
  int exitCode() {
    if (!reaped) {
      throw new IllegalStateException("still running");
    }
    return exitCode;
  }

  void killGroup() {
    if (!reaped) {
      Kernel.attempt(Syscall.KILL, -pid, SIGKILL);
    }
  }

  private void reap() throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = arena.allocate(SIGINFO, 8);
      Kernel.call(
          "cannot reap", Syscall.WAITID, P_PIDFD, pidfd.number(), info.address(), WEXITED, 0);
      int code = info.get(ValueLayout.JAVA_INT, 8);
      int status = info.get(ValueLayout.JAVA_INT, 24);
      exitCode = code == CLD_EXITED ? status : SIGNALLED + status;
      reaped = true;
    }
  }

  @Override
  public void close() {
    try {
      killGroup();
      awaitEnd(KILLED);
    } catch (LinuxException e) {
      System.getLogger(ChildProcess.class.getName())
          .log(System.Logger.Level.WARNING, "a killed program could not be reaped", e);
    } finally {
      pidfd.close();
    }
  }
}
