package dev.microsandbox.linux;

import dev.microsandbox.model.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Set;

/// A group of the unified hierarchy (v2).
final class UnifiedCgroup extends Cgroup {
  private final Path folder;

  UnifiedCgroup(Path folder) {
    this.folder = folder;
  }

  @Override
  Path folder(String controller) {
    return folder;
  }

  @Override
  Set<Path> folders() {
    return Set.of(folder);
  }

  @Override
  void limit(Limits limits) throws IOException {
    write(folder.resolve("memory.max"), Long.toString(limits.memory().bytes()));
    Path swap = folder.resolve("memory.swap.max"); // missing on kernels without swap accounting
    if (Files.exists(swap)) {
      write(swap, "0");
    }
    // One process at a time: an interpreter's end is an outcome, the sandbox lives.
    write(folder.resolve("memory.oom.group"), "0");
    write(folder.resolve("cpu.max"), quota(limits) + " " + CPU_PERIOD_MICROS);
    write(folder.resolve("pids.max"), Integer.toString(limits.processes()));
  }

  /// Runtimes put it here by themselves.
  @Override
  public void takeIn(int pid) {}

  @Override
  public Usage usage() throws IOException {
    long inactive = keyed(folder.resolve("memory.stat"), "inactive_file");
    return new Usage(
        Duration.of(keyed(folder.resolve("cpu.stat"), "usage_usec"), ChronoUnit.MICROS),
        Math.max(0, number(folder.resolve("memory.current")) - inactive),
        (int) number(folder.resolve("pids.current")));
  }

  @Override
  Path oomCounters() {
    return folder.resolve("memory.events");
  }

  @Override
  public void freeze() throws IOException {
    write(folder.resolve("cgroup.freeze"), "1");
  }

  @Override
  public void thaw() throws IOException {
    write(folder.resolve("cgroup.freeze"), "0");
  }

  @Override
  void killOnce() {
    try {
      write(folder.resolve("cgroup.kill"), "1"); // from kernel 5.14 on
    } catch (IOException e) {
      super.killOnce();
    }
  }
}
