package dev.microsandbox.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.microsandbox.linux.Cgroups.Layout;
import dev.microsandbox.model.SandboxId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CgroupsTest {
  private static final SandboxId ID = new SandboxId("sb0123456789abcdef");

  @TempDir Path tree;

  private String unified(Path at) {
    return "41 31 0:38 / " + at + " rw,relatime - cgroup2 cgroup2 rw";
  }

  private String controllers(String names) {
    return "32 31 0:29 / "
        + tree.resolve(names)
        + " rw,relatime shared:9 - cgroup cgroup rw,"
        + names;
  }

  @Test
  void theUnifiedTreeIsTakenWhereItIsAlone() throws Exception {
    for (String folder : List.of("", "microsandbox", "microsandbox/home")) {
      Path made = Files.createDirectories(tree.resolve(folder));
      Files.writeString(made.resolve("cgroup.subtree_control"), "cpu memory pids");
    }

    Cgroups cgroups = Cgroups.detect("home", List.of(unified(tree)));

    assertThat(cgroups.layout()).isEqualTo(Layout.UNIFIED);
    assertThat(cgroups.path(ID)).isEqualTo("/microsandbox/home/sb0123456789abcdef");
    assertThat(cgroups.list()).isEmpty();
  }

  @Test
  void missingControllersAreEnabledOnTheWayDown() throws Exception {
    for (String folder : List.of("", "microsandbox", "microsandbox/home")) {
      Path made = Files.createDirectories(tree.resolve(folder));
      Files.writeString(made.resolve("cgroup.subtree_control"), "cpu memory");
    }

    Cgroups.detect("home", List.of(unified(tree)));

    assertThat(tree.resolve("microsandbox/home/cgroup.subtree_control")).hasContent("+pids");
  }

  @Test
  void theEmptyUnifiedTreeOfAHybridHostLimitsNothing() throws Exception {
    Cgroups cgroups =
        Cgroups.detect(
            "home",
            List.of(
                unified(tree.resolve("unified")),
                controllers("cpu,cpuacct"),
                controllers("memory"),
                controllers("pids")));

    assertThat(cgroups.layout()).isEqualTo(Layout.PER_CONTROLLER);
    assertThat(cgroups.canFreeze()).isFalse();
  }

  @Test
  void aFirstProcessIsTakenOutOfTheServersGroupInTheUnifiedTreeOfAHybridHost() throws Exception {
    Cgroups cgroups =
        Cgroups.detect(
            "home",
            List.of(
                unified(tree.resolve("unified")),
                controllers("cpu"),
                controllers("memory"),
                controllers("pids")));
    Path group = tree.resolve("unified/microsandbox/home").resolve(ID.value());
    Files.createDirectories(group);
    Files.createFile(group.resolve("cgroup.procs"));
    cgroups.find(ID).orElseThrow().takeIn((int) ProcessHandle.current().pid());
    assertThat(group.resolve("cgroup.procs")).hasContent(ProcessHandle.current().pid() + "");
    assertThat(cgroups.list()).containsExactly(ID);
  }

  @Test
  void sandboxesAreListedWhereverARuntimeHasMadeAGroup() throws Exception {
    Cgroups cgroups =
        Cgroups.detect(
            "home",
            List.of(
                controllers("cpu"),
                controllers("memory"),
                controllers("pids"),
                controllers("name=systemd")));
    Files.createDirectories(tree.resolve("name=systemd/microsandbox/home").resolve(ID.value()));
    Files.createDirectories(tree.resolve("memory/microsandbox/home/other"));
    Files.createDirectories(tree.resolve("memory/microsandbox/elsewhere/sb1111111111111111"));

    assertThat(cgroups.list()).containsExactly(ID);
    assertThat(cgroups.find(ID)).isPresent();
    assertThat(cgroups.find(new SandboxId("sb1111111111111111"))).isEmpty();
  }

  @Test
  void aHostWithoutGroupsIsRefusedByName() {
    assertThatThrownBy(() -> Cgroups.detect("home", List.of()))
        .hasMessageContaining("memory")
        .hasMessageContaining("not mounted");
  }

  @Test
  void aProcessIsWhereTheKernelSays() {
    List<String> lines = List.of("9:name=systemd:/s", "8:cpu,pids:/a:b/c", "4:memory:/", "0::/u");
    assertThat(Cgroups.pathIn("pids", lines)).isEqualTo("/a:b/c");
    assertThat(Cgroups.pathIn("memory", lines)).isEqualTo("/");
    assertThat(Cgroups.pathIn("freezer", lines)).isNull();
  }

  @Test
  void toAnnounceAnEntryMovesNobody() throws Exception {
    Path mine = Path.of("/proc/self/cgroup");
    String before = Files.readString(mine);
    Cgroups.detect("announced").moveNowhere();
    assertThat(Files.readString(mine)).isEqualTo(before);
  }
}
