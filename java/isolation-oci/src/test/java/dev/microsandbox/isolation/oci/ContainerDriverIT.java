package dev.microsandbox.isolation.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.microsandbox.agent.AgentChannels;
import dev.microsandbox.isolation.AdoptSpec;
import dev.microsandbox.isolation.Adoption;
import dev.microsandbox.isolation.IdRange;
import dev.microsandbox.isolation.LaunchSpec;
import dev.microsandbox.isolation.LiveSandbox;
import dev.microsandbox.isolation.ProbeReport;
import dev.microsandbox.isolation.ProbeReport.Finding;
import dev.microsandbox.isolation.ProcessMark;
import dev.microsandbox.isolation.TestParts;
import dev.microsandbox.linux.HostCommand;
import dev.microsandbox.linux.Trees;
import dev.microsandbox.model.ByteSize;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.Limits;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxId;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What is particular to containers: runtimes, descriptors, and what a killed server leaves.
class ContainerDriverIT {
  private static final Limits LIMITS = new Limits(ByteSize.ofMib(128), 1.0, 64, ByteSize.ofMib(32));

  private Path home = Path.of("");
  private final List<ContainerDriver> open = new ArrayList<>();

  @BeforeEach
  void makeHome() throws IOException {
    home = TestParts.newHome();
  }

  @AfterEach
  void nothingIsLeft() throws IOException {
    open.forEach(ContainerDriver::close);
    Trees.delete(home);
    assertThat(HostTraces.of(home.getFileName().toString())).isEmpty();
  }

  private ContainerSettings settings() {
    return ContainerSettings.of(home, TestParts.agent()).withSockets(home.resolve("r"));
  }

  private ContainerDriver open(ContainerSettings settings) {
    ContainerDriver driver = ContainerDriver.open(settings);
    open.add(driver);
    return driver;
  }

  private static LaunchSpec spec(Path image, boolean egress) {
    return spec(image, egress, 3100);
  }

  private static LaunchSpec spec(Path image, boolean egress, int range) {
    IdRange ids = new IdRange(IdRange.SIZE * range);
    return new LaunchSpec(SandboxId.random(), image, Map.of(), LIMITS, ids, egress);
  }

  private String script(String name, String text) throws IOException {
    Path script = Files.writeString(home.resolve(name), "#!/bin/sh\n" + text + "\n");
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
    return script.toString();
  }

  // ---------------------------------------------------------------- a server that is killed

  @ParameterizedTest
  @ValueSource(
      strings = {
        "disk",
        "control groups",
        "channel",
        "root filesystem",
        "runtime",
        "mounts let go"
      })
  void whatAKilledServerLeftIsFoundAndRemoved(String step) throws Exception {
    SandboxId id = SandboxId.random();
    Process server = DoomedServer.start(home, "crun", id, step);
    assertThat(server.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(server.exitValue()).isEqualTo(137);

    ContainerDriver next = open(settings());
    assertThat(next.leftovers()).containsExactly(id);
    next.remove(id);
    next.removeDisk(id);

    assertThat(next.leftovers()).isEmpty();
    assertThat(HostTraces.of(id.value())).isEmpty();
  }

  @Test
  void aRuntimeThatAKilledServerLeftBehindIsKilled() throws Exception {
    Path mark = home.resolve("mark");
    SandboxId id = SandboxId.random();
    String slow =
        script(
            "slow-crun",
            "case \"$*\" in *" + id + "*) touch " + mark + "; sleep 61.5;; esac\nexec crun \"$@\"");
    Process server = DoomedServer.start(home, slow, id, "never");
    for (int i = 0; i < 1500 && !Files.exists(mark); i++) {
      Thread.sleep(20);
    }
    assertThat(mark).exists();
    server.destroyForcibly().waitFor();

    ContainerDriver next = open(settings());
    next.remove(id);
    next.removeDisk(id);

    assertThat(HostTraces.of(id.value())).isEmpty();
    assertThat(HostTraces.of("sleep\00061.5")).isEmpty();
  }

  @Test
  void aUsersProgramThatNamesTheSandboxIsLeftAlone() throws Exception {
    SandboxId id = SandboxId.random();
    Process user = new ProcessBuilder("sh", "-c", "sleep 60; true", "rm", id.value()).start();
    try {
      open(settings()).remove(id);

      assertThat(user.isAlive()).isTrue();
    } finally {
      user.descendants().forEach(ProcessHandle::destroyForcibly);
      user.destroyForcibly().waitFor();
    }
  }

  @Test
  void aSandboxOutlivesItsServersDriver() throws Exception {
    ContainerDriver first = open(settings());
    Container container = first.launch(spec(TestParts.pythonImage(), true));
    first.close();

    assertThat(Path.of("/proc", Integer.toString(container.pid()))).exists();

    ContainerDriver next = open(settings());
    Adoption.Alive alive = (Adoption.Alive) next.adopt(foothold(container, container.mark()));
    try (AgentChannels channels = AgentChannels.open()) {
      LiveSandbox sandbox = LiveSandbox.of(alive.sandbox(), channels);
      assertThat(sandbox.run("sandbox", "echo", "still here").text()).isEqualTo("still here");
      assertThat(alive.sandbox().usage().memory().bytes()).isPositive();
      alive.sandbox().kill();
      assertThat(alive.sandbox().ended().get(20, TimeUnit.SECONDS).outOfMemory()).isFalse();
    }
    next.removeDisk(container.id());
    assertThat(HostTraces.of(container.id().value())).isEmpty();
  }

  @Test
  void noOtherProcessIsTakenForASandboxs() throws Exception {
    ContainerDriver first = open(settings());
    Container container = first.launch(spec(TestParts.pythonImage(), false));
    Container other = first.launch(spec(TestParts.pythonImage(), false, 3101));
    ProcessMark mark = container.mark();
    first.close();
    ContainerDriver next = open(settings());

    ProcessMark later = new ProcessMark(mark.hostBootId(), mark.pid(), mark.startTime() + 1);
    assertThat(next.adopt(foothold(container, later))).isInstanceOf(Adoption.Ended.class);
    assertThat(next.adopt(foothold(container, other.mark()))).isInstanceOf(Adoption.Ended.class);
    ProcessMark elsewhere = new ProcessMark("another-boot", mark.pid(), mark.startTime());
    assertThat(next.adopt(foothold(container, elsewhere)))
        .isInstanceOf(Adoption.HostRestarted.class);
    AdoptSpec nobody = new AdoptSpec(SandboxId.random(), new IdRange(IdRange.SIZE * 3100), mark, 0);
    assertThat(next.adopt(nobody)).isInstanceOf(Adoption.Ended.class);

    for (Container each : List.of(container, other)) {
      next.remove(each.id());
      next.removeDisk(each.id());
    }
  }

  private static AdoptSpec foothold(Container container, ProcessMark mark) {
    return new AdoptSpec(container.id(), new IdRange(IdRange.SIZE * 3100), mark, 0);
  }

  // ---------------------------------------------------------------- runtimes

  @Test
  void aRuntimeThatHangsIsGivenUpOn() throws Exception {
    String hanging =
        script("hangs", "case \"$*\" in *--version*) echo crun version 9.9;; *) sleep 62.5;; esac");
    ContainerDriver driver =
        open(settings().withRuntime(hanging).withStartLimit(Duration.ofMillis(500)));
    long start = System.nanoTime();

    ProbeReport report = driver.probe();

    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(30));
    assertThat(report.usable()).isFalse();
    assertThat(report.findings())
        .filteredOn(finding -> !finding.works())
        .singleElement()
        .satisfies(finding -> assertThat(finding.seen()).contains("did not end in time"));
    assertThatThrownBy(() -> driver.launch(spec(TestParts.pythonImage(), false)))
        .isInstanceOfSatisfying(
            SandboxException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.RUNTIME_MISSING));
    assertThat(driver.leftovers()).isEmpty();
  }

  @Test
  void anAbsentRuntimeIsNamedWithTheCommandThatHelps() {
    ProbeReport report = open(settings().withRuntime("no-such-runtime")).probe();

    assertThat(report.usable()).isFalse();
    assertThat(report.findings())
        .anyMatch(finding -> !finding.works() && finding.remedy().startsWith("apt-get install"));
  }

  @Test
  void aHomeThatSandboxesCannotWalkThroughIsSaidWithTheRemedy() throws Exception {
    Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwx------"));

    ProbeReport report = open(settings()).probe();

    assertThat(report.findings())
        .anyMatch(finding -> !finding.works() && finding.remedy().startsWith("chmod o+x " + home));
  }

  @Test
  void aRuntimeWithKnownHolesIsWarnedAboutAndRefusedWhereStrict() throws Exception {
    String old =
        script(
            "old-runc",
            "case \"$*\" in *--version*) echo runc version 1.1.9;; *) exec runc \"$@\";; esac");

    ProbeReport warned = open(settings().withRuntime(old)).probe();
    ProbeReport refused = open(settings().withRuntime(old).withStrictRuntime(true)).probe();

    assertThat(warned.usable()).isTrue();
    assertThat(warned.findings())
        .extracting(Finding::seen)
        .anyMatch(seen -> seen.contains("holes"));
    assertThat(refused.usable()).isFalse();
  }

  @Test
  void theRuntimeGetsNoDescriptorOfTheServers() throws Exception {
    Path seen = home.resolve("descriptors");
    String spying = script("spy-crun", "ls -l /proc/$$/fd > " + seen + "\nexec crun \"$@\"");
    ContainerDriver driver = open(settings().withRuntime(spying));

    Container container = driver.launch(spec(TestParts.pythonImage(), true));
    container.kill();

    // Beside these the shell holds its own script and what it has redirected.
    assertThat(Files.readAllLines(seen))
        .filteredOn(line -> line.contains(" -> "))
        .hasSizeGreaterThanOrEqualTo(3)
        .extracting(line -> line.substring(line.indexOf(" -> ") + 4))
        .isSubsetOf("/dev/null", spying, seen.toString());
  }

  /// The tun node is unlinked once the sandbox has it.
  private static final String AGENTS_OWN =
      "(socket|pipe|anon_inode):.*|/memfd:.*|/dev/net/tun( \\(deleted\\))?";

  @Test
  void theFirstProcessHasNothingOfTheHosts() throws Exception {
    Container container = open(settings()).launch(spec(TestParts.pythonImage(), true));
    container.transport().next(Duration.ofSeconds(10)).close();
    Path process = Path.of("/proc", Integer.toString(container.pid()));

    List<String> descriptors = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(process.resolve("fd"))) {
      for (Path descriptor : all) {
        try {
          descriptors.add(Files.readSymbolicLink(descriptor).toString());
        } catch (NoSuchFileException _) {
          // The agent's own socket, which comes and goes while it dials again.
        }
      }
    }
    String status = Files.readString(process.resolve("status"));

    assertThat(descriptors)
        .filteredOn(target -> !target.matches(AGENTS_OWN))
        .as("its standard streams, and one that the agent keeps for its children")
        .containsOnly("/dev/null");
    assertThat(status)
        .contains("NoNewPrivs:\t1", "Seccomp:\t2", "CapBnd:\t00000000000011fb")
        .containsPattern("Uid:\t" + 3100 * IdRange.SIZE);
    for (String namespace : List.of("user", "pid", "net", "ipc", "uts", "mnt", "cgroup")) {
      assertThat(Files.readSymbolicLink(process.resolve("ns").resolve(namespace)))
          .as(namespace)
          .isNotEqualTo(Files.readSymbolicLink(Path.of("/proc/self/ns").resolve(namespace)));
    }
    container.kill();
  }

  // ---------------------------------------------------------------- root filesystems

  @ParameterizedTest
  @ValueSource(strings = {"dev", "proc", "sys", "tmp", ".msb"})
  void anImageThatLeadsTheRuntimeAstrayIsRefused(String name) throws Exception {
    Path content = Files.createDirectories(home.resolve("content"));
    Path target = Files.createDirectories(home.resolve("target"));
    Files.createSymbolicLink(content.resolve(name), target);
    Path image = home.resolve("evil.erofs");
    HostCommand.of("mkfs.erofs", image.toString(), content.toString()).run().orThrow();
    ContainerDriver driver = open(settings());
    LaunchSpec spec = spec(image, false);

    assertThatThrownBy(() -> driver.launch(spec))
        .hasRootCauseMessage("/" + name + " of the root filesystem is not a plain folder");

    driver.removeDisk(spec.id());
    assertThat(target).isEmptyDirectory();
    assertThat(driver.leftovers()).isEmpty();
  }

  @Test
  void withoutEgressThereIsNoTunDevice() throws Exception {
    Container container = open(settings()).launch(spec(TestParts.pythonImage(), false));

    assertThat(Path.of("/proc", Integer.toString(container.pid()), "root/dev/net")).doesNotExist();
    container.kill();
  }

  @Test
  void aTenantSeesNoPathOfTheHomeInItsMounts() throws Exception {
    Container container = open(settings()).launch(spec(TestParts.pythonImage(), true));
    Path mounts = Path.of("/proc", Integer.toString(container.pid()), "mounts");

    assertThat(Files.readString(mounts)).doesNotContain(home.toString());
    container.kill();
  }
}
