package dev.microsandbox.linux;

import dev.microsandbox.model.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;

/// A group in each of the older hierarchies, one per controller (v1).
final class PerControllerCgroup extends Cgroup {
  private final Map<String, Path> folders;

  PerControllerCgroup(Map<String, Path> folders) {
    this.folders = Map.copyOf(folders);
  }

  @Override
  Path folder(String controller) {
    Path folder = folders.get(controller);
    if (folder == null) {
      throw new IllegalStateException("no cgroup controller " + controller);
    }
    return folder;
  }

  @Override
  Set<Path> folders() {
    return Set.copyOf(folders.values());
  }

  @Override
  void limit(Limits limits) throws IOException {
    limitMemory(limits.memory().bytes());
    Path cpu = folder("cpu");
    write(cpu.resolve("cpu.cfs_period_us"), Long.toString(CPU_PERIOD_MICROS));
    write(cpu.resolve("cpu.cfs_quota_us"), Long.toString(quota(limits)));
    write(folder("pids").resolve("pids.max"), Integer.toString(limits.processes()));
  }

  /// The limit with swap may never be below the one without, on the way neither.
  private void limitMemory(long bytes) throws IOException {
    Path memory = folder("memory").resolve("memory.limit_in_bytes");
    Path withSwap = folder("memory").resolve("memory.memsw.limit_in_bytes");
    String value = Long.toString(bytes);
    boolean counted = Files.exists(withSwap);
    if (counted && number(withSwap) < bytes) {
      write(withSwap, value);
    }
    write(memory, value);
    if (counted) {
      write(withSwap, value);
    } else {
      write(folder("memory").resolve("memory.swappiness"), "0");
    }
  }

  /// A service manager tells by the unified tree which processes are a service's, and would count
  /// the sandbox among the server's own.
  @Override
  public void takeIn(int pid) throws IOException {
    Path unified = folders.get(Cgroups.UNIFIED_TREE);
    if (unified == null) {
      return;
    }
    Files.createDirectories(unified);
    try {
      write(unified.resolve("cgroup.procs"), Integer.toString(pid));
    } catch (IOException e) {
      if (Files.exists(Path.of("/proc", Integer.toString(pid)))) {
        throw e;
      }
    }
  }

  @Override
  public Usage usage() throws IOException {
    Path memory = folder("memory");
    long inactive = keyed(memory.resolve("memory.stat"), "total_inactive_file");
    Path accounting = folders.containsKey("cpuacct") ? folder("cpuacct") : folder("cpu");
    Path cpu = accounting.resolve("cpuacct.usage");
    return new Usage(
        Duration.ofNanos(Files.exists(cpu) ? number(cpu) : 0),
        Math.max(0, number(memory.resolve("memory.usage_in_bytes")) - inactive),
        (int) number(folder("pids").resolve("pids.current")));
  }

  @Override
  Path oomCounters() {
    return folder("memory").resolve("memory.oom_control");
  }

  @Override
  public void freeze() throws IOException {
    write(folder("freezer").resolve("freezer.state"), "FROZEN");
  }

  @Override
  public void thaw() throws IOException {
    write(folder("freezer").resolve("freezer.state"), "THAWED");
  }

  /// Here a frozen process does not die before it is thawed.
  @Override
  void killOnce() {
    super.killOnce();
    try {
      if (Files.exists(folder("freezer").resolve("freezer.state"))) {
        thaw();
      }
    } catch (IOException | IllegalStateException e) {
      System.getLogger(PerControllerCgroup.class.getName())
          .log(System.Logger.Level.DEBUG, "cannot thaw", e);
    }
  }
}
