package dev.microsandbox.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/// A process of the host that is not our child: known by its number **and** its start time, and
/// held by a pidfd, so that no other process is ever taken for it.
public final class HostProcess {
  private static final int SIGKILL = 9;
  private static final int START_TIME = 22; // the field's number in /proc/<pid>/stat

  private final int pid;
  private final long startTime;
  private final Descriptor pidfd;
  private final CompletableFuture<Void> ended;

  private HostProcess(int pid, long startTime, Descriptor pidfd, ProcessWatch watch)
      throws LinuxException {
    this.pid = pid;
    this.startTime = startTime;
    this.pidfd = pidfd;
    this.ended = watch.ended(pidfd);
  }

  /// Takes hold of a running process.
  ///
  /// @throws LinuxException when there is none of this number
  public static HostProcess open(int pid, ProcessWatch watch) throws IOException {
    Descriptor pidfd = new Descriptor(Kernel.call("no process " + pid, Syscall.PIDFD_OPEN, pid, 0));
    try {
      return new HostProcess(pid, startTime(pid), pidfd, watch);
    } catch (IOException e) {
      pidfd.close();
      throw e;
    }
  }

  /// Takes hold of a process again that was known earlier.
  ///
  /// @return empty where it has ended, whoever has its number now
  public static Optional<HostProcess> find(int pid, long startTime, ProcessWatch watch) {
    try {
      if (startTime(pid) != startTime) {
        return Optional.empty();
      }
      HostProcess found = open(pid, watch);
      return found.startTime == startTime ? Optional.of(found) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /// The host's present life: another one after each start of the machine.
  public static String hostBootId() throws IOException {
    return Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
  }

  public int pid() {
    return pid;
  }

  /// In the kernel's ticks since its own start.
  public long startTime() {
    return startTime;
  }

  /// Whether it still runs: one that is dead and not yet reaped does not.
  public boolean isAlive() {
    try {
      List<String> fields = statFields(pid);
      return Long.parseLong(fields.get(START_TIME - 3)) == startTime
          && !fields.getFirst().equals("Z")
          && !fields.getFirst().equals("X");
    } catch (IOException e) {
      return false;
    }
  }

  /// Completes when it has ended, normally or not.
  public CompletableFuture<Void> ended() {
    return ended.copy();
  }

  /// Sends SIGKILL; harmless where it has ended.
  public void kill() {
    synchronized (pidfd) {
      if (pidfd.isOpen()) {
        Kernel.attempt(Syscall.PIDFD_SEND_SIGNAL, pidfd.number(), SIGKILL, 0, 0);
      }
    }
  }

  /// Gives the process, and all that share its UTS namespace, another host name.
  ///
  /// @return fails with a [LinuxException] where the process has ended
  public CompletableFuture<Void> setHostname(String name) {
    return HostnameThread.name(pidfd, name);
  }

  /// The kernel's ticks at which a process started.
  static long startTime(int pid) throws IOException {
    return Long.parseLong(statFields(pid).get(START_TIME - 3));
  }

  /// From the third field on: the second is the program's name in parentheses, which may hold
  /// anything.
  private static List<String> statFields(int pid) throws IOException {
    String stat = Files.readString(Path.of("/proc", Integer.toString(pid), "stat"));
    return List.of(stat.substring(stat.lastIndexOf(')') + 2).split(" "));
  }
}
