package dev.microsandbox.linux;

import dev.microsandbox.model.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// One sandbox's control group: its limits, what it uses, and the handle on all its processes.
public abstract sealed class Cgroup implements AutoCloseable
    permits UnifiedCgroup, PerControllerCgroup {
  static final long CPU_PERIOD_MICROS = 100_000;
  private static final Duration RETRY = Duration.ofMillis(2);
  private static final int SIGKILL = 9;

  private @Nullable CounterFile counters;

  /// @param memory bytes, without cached files that could be dropped at once
  public record Usage(Duration cpuTime, long memory, int processes) {}

  abstract Path folder(String controller);

  /// In every hierarchy, also where only a runtime made one.
  abstract Set<Path> folders();

  abstract void limit(Limits limits) throws IOException;

  /// Takes a sandbox's first process, alone as it still is, into the groups that runtimes put
  /// nobody into. Harmless where it has ended.
  public abstract void takeIn(int pid) throws IOException;

  /// Memory, CPU time and processes of now.
  public abstract Usage usage() throws IOException;

  /// Where the kernel counts its kills for want of memory, as `oom_kill`.
  abstract Path oomCounters();

  /// How often the kernel has killed here for want of memory.
  public final long oomKills() throws IOException {
    return counters().value("oom_kill");
  }

  private synchronized CounterFile counters() throws IOException {
    if (counters == null) {
      counters = CounterFile.open(oomCounters());
    }
    return counters;
  }

  public abstract void freeze() throws IOException;

  public abstract void thaw() throws IOException;

  boolean exists() {
    return folders().stream().anyMatch(Files::exists);
  }

  /// The host's ids of the processes in it.
  public List<Integer> processes() {
    Path file = folder("pids").resolve("cgroup.procs");
    try {
      return Files.readAllLines(file).stream().map(Integer::valueOf).filter(p -> p > 0).toList();
    } catch (IOException e) {
      return List.of();
    }
  }

  /// Kills everything in it, again and again until nothing is left or the time is over.
  ///
  /// @return whether it is empty
  public boolean killAll(Duration patience) throws InterruptedException {
    Instant end = Instant.now().plus(patience);
    while (true) {
      killOnce();
      if (processes().isEmpty()) {
        return true;
      }
      if (Instant.now().isAfter(end)) {
        return false;
      }
      Thread.sleep(RETRY);
    }
  }

  void killOnce() {
    for (int pid : processes()) {
      Kernel.attempt(Syscall.KILL, pid, SIGKILL);
    }
  }

  /// Removes it from every hierarchy, with groups made inside it. It has to be empty of processes.
  ///
  /// @return whether nothing is left
  public boolean remove(Duration patience) throws InterruptedException {
    close();
    Instant end = Instant.now().plus(patience);
    while (true) {
      boolean gone = true;
      for (Path folder : folders()) {
        gone &= removeTree(folder);
      }
      if (gone || Instant.now().isAfter(end)) {
        return gone;
      }
      Thread.sleep(RETRY);
    }
  }

  /// Lets go of what is kept open to read it. The group itself stays.
  @Override
  public synchronized void close() {
    if (counters != null) {
      counters.close();
    }
  }

  /// Folders only: a group's files cannot be deleted, nor need they be. A look for groups within
  /// asks about each of thirty files, so that it comes after the attempt without it.
  private static boolean removeTree(Path folder) {
    if (folder.toFile().delete() || !Files.isDirectory(folder)) {
      return true;
    }
    try (var children = Files.newDirectoryStream(folder, Files::isDirectory)) {
      children.forEach(Cgroup::removeTree);
    } catch (IOException e) {
      return !Files.exists(folder);
    }
    return folder.toFile().delete() || !Files.exists(folder);
  }

  static void write(Path file, String value) throws IOException {
    try {
      Files.writeString(file, value, java.nio.file.StandardOpenOption.WRITE);
    } catch (IOException e) {
      throw new IOException("cannot write " + value + " to " + file, e);
    }
  }

  static long number(Path file) throws IOException {
    return Long.parseLong(Files.readString(file).strip());
  }

  /// A value of a file of `key value` lines; 0 where the key is missing.
  static long keyed(Path file, String key) throws IOException {
    for (String line : Files.readAllLines(file)) {
      if (line.startsWith(key + " ")) {
        return Long.parseLong(line.substring(key.length() + 1).strip());
      }
    }
    return 0;
  }

  static long quota(Limits limits) {
    return Math.round(limits.cpus() * CPU_PERIOD_MICROS);
  }
}
