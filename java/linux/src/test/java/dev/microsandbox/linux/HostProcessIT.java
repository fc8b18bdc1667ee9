package dev.microsandbox.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class HostProcessIT {
  @Test
  void theEndsOfManyProcessesAreLearned() throws Exception {
    try (ProcessWatch watch = ProcessWatch.open()) {
      List<Process> children = new ArrayList<>();
      List<HostProcess> held = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        Process child = new ProcessBuilder("sleep", "60").start();
        children.add(child);
        held.add(HostProcess.open((int) child.pid(), watch));
      }
      held.get(7).kill();

      held.get(7).ended().get(5, TimeUnit.SECONDS);
      assertThat(held).filteredOn(process -> process.ended().isDone()).hasSize(1);

      children.forEach(Process::destroyForcibly);
      for (HostProcess process : held) {
        process.ended().get(5, TimeUnit.SECONDS);
        process.kill();
      }
    }
  }

  @Test
  void aProcessIsKnownByItsStartTimeToo() throws Exception {
    long own = HostProcess.startTime((int) ProcessHandle.current().pid());

    assertThat(own).isGreaterThan(HostProcess.startTime(1));
  }

  @Test
  void aNumberWithoutAProcessIsRefused() throws Exception {
    Process child = new ProcessBuilder("true").start();
    child.waitFor();
    try (ProcessWatch watch = ProcessWatch.open()) {
      assertThatThrownBy(() -> HostProcess.open((int) child.pid(), watch))
          .isInstanceOf(LinuxException.class);
    }
  }

  @Test
  void programsStartedForASandboxAreFoundByItsIdWithAllThatTheyStarted() throws Exception {
    String id = dev.microsandbox.model.SandboxId.random().value();
    ChildProcess child =
        ChildProcess.start(
            new Spawn.Plan(
                java.nio.file.Path.of("/bin/sh"),
                List.of("sh", "-c", "sleep 63.5; true", id),
                java.util.Map.of("PATH", "/bin:/usr/bin"),
                null,
                new int[] {0, 1, 2}));
    try (child) {
      assertThat(ProcessTable.killThoseWithArgument(id)).isPositive();
      assertThat(child.awaitEnd(java.time.Duration.ofSeconds(5))).isTrue();
      assertThat(child.exitCode()).isEqualTo(137);
      assertThat(ProcessTable.withArgument("63.5")).isEmpty();
    }
  }
}
