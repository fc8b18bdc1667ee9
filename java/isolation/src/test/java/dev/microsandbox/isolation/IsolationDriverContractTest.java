package dev.microsandbox.isolation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.microsandbox.agent.AgentChannels;
import dev.microsandbox.model.ByteSize;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.Limits;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxId;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What every isolation driver owes, tried with the real agent in the default Python image.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class IsolationDriverContractTest {
  protected static final Limits LIMITS =
      new Limits(ByteSize.ofMib(192), 1.0, 64, ByteSize.ofMib(64));
  private static final int FIRST_RANGE = 1000;

  protected IsolationDriver driver;
  private AgentChannels channels;
  private final List<LiveSandbox> launched = new ArrayList<>();
  private int ranges;

  protected abstract IsolationDriver open() throws Exception;

  @BeforeAll
  void openDriver() throws Exception {
    driver = open();
    channels = AgentChannels.open();
    assertThat(driver.probe()).matches(ProbeReport::usable, "works on this host");
  }

  @AfterEach
  void nothingIsLeft() {
    launched.forEach(LiveSandbox::close);
    launched.clear();
    for (SandboxId id : driver.leftovers()) {
      driver.remove(id);
      driver.removeDisk(id);
    }
    assertThat(driver.leftovers()).isEmpty();
  }

  @AfterAll
  void closeDriver() {
    channels.close();
    driver.close();
  }

  protected LaunchSpec spec(Limits limits) throws IOException {
    return spec(SandboxId.random(), limits);
  }

  protected LaunchSpec spec(SandboxId id, Limits limits) throws IOException {
    IdRange ids = new IdRange(IdRange.SIZE * (FIRST_RANGE + ranges++ % 50));
    Map<String, String> environment = Map.of("PATH", "/usr/local/bin:/usr/bin:/bin", "MSB_X", "1");
    return new LaunchSpec(id, TestParts.pythonImage(), environment, limits, ids, true);
  }

  protected LiveSandbox launch(LaunchSpec spec) {
    LiveSandbox sandbox = LiveSandbox.launch(driver, channels, spec);
    launched.add(sandbox);
    return sandbox;
  }

  protected LiveSandbox launch() throws IOException {
    return launch(spec(LIMITS));
  }

  // ---------------------------------------------------------------- launching

  @Test
  void theAgentDialsAndSaysWhoItIs() throws Exception {
    LiveSandbox sandbox = launch();

    assertThat(sandbox.agent().hello().sandbox()).isEqualTo(sandbox.running().id());
    assertThat(sandbox.running().ended()).isNotDone();
  }

  @Test
  void programsRunAsTheUserThatWasAskedFor() throws Exception {
    LiveSandbox sandbox = launch();

    assertThat(sandbox.run("sandbox", "id", "-u").text()).isEqualTo("1000");
    assertThat(sandbox.run("root", "id", "-u").text()).isEqualTo("0");
  }

  @Test
  void theImagesEnvironmentArrivesAndOursDoesNotComeFromIt() throws Exception {
    String environment = launch().run("sandbox", "env").output();

    assertThat(environment).contains("PATH=").doesNotContain("MSB_X");
  }

  @Test
  void aBrokenImageIsRefusedAndLeavesOnlyTheDisk() throws Exception {
    Path broken = Files.createTempFile("msb-broken", ".erofs");
    Files.writeString(broken, "no file system");
    LaunchSpec good = spec(LIMITS);
    LaunchSpec bad =
        new LaunchSpec(good.id(), broken, Map.of(), good.limits(), good.ids(), good.egress());
    try {
      assertThatThrownBy(() -> driver.launch(bad))
          .isInstanceOfSatisfying(
              SandboxException.class,
              e -> assertThat(e.code()).isEqualTo(ErrorCode.SANDBOX_FAILED));

      driver.removeDisk(bad.id());
      assertThat(driver.leftovers()).isEmpty();
    } finally {
      Files.delete(broken);
    }
  }

  @Test
  void theDiskIsKeptOverStopAndStart() throws Exception {
    LaunchSpec spec = spec(LIMITS);
    LiveSandbox first = launch(spec);
    first.run("sandbox", "sh", "-c", "echo kept > /home/sandbox/note");
    first.run("root", "rm", "/etc/hostname", "/etc/fstab");
    first.close();

    LiveSandbox second = launch(spec);

    assertThat(second.run("sandbox", "cat", "/home/sandbox/note").text()).isEqualTo("kept");
    assertThat(second.run("sandbox", "test", "-e", "/etc/fstab").end().exitCode()).isEqualTo(1);
  }

  // ---------------------------------------------------------------- limits

  @Test
  void aMemoryBombDiesAndTheSandboxLives() throws Exception {
    LiveSandbox sandbox = launch();
    long before = sandbox.running().oomKills();

    LiveSandbox.Answer answer =
        sandbox.python("sandbox", "b = [b'x' * (1 << 20) for _ in range(4096)]");

    assertThat(answer.end().signal()).isEqualTo(9);
    assertThat(sandbox.running().oomKills()).isGreaterThan(before);
    assertThat(sandbox.run("sandbox", "echo", "alive").text()).isEqualTo("alive");
    assertThat(sandbox.running().ended()).isNotDone();
  }

  @Test
  void temporaryFilesCountAsMemory() throws Exception {
    LiveSandbox sandbox = launch();

    LiveSandbox.Answer answer =
        sandbox.run("sandbox", "sh", "-c", "head -c 400M /dev/zero > /tmp/fill; ls -s /tmp");

    assertThat(answer.output() + answer.error()).containsAnyOf("No space left", "Killed");
    assertThat(sandbox.run("sandbox", "echo", "alive").text()).isEqualTo("alive");
  }

  @Test
  void aForkBombIsStoppedAndEndsAtOnce() throws Exception {
    LiveSandbox sandbox = launch();

    String fork =
        "import os\nn = 0\ntry:\n  while True:\n    if os.fork() == 0: os.pause() if hasattr(os, 'pause') else __import__('signal').pause()\n    n += 1\nexcept OSError as e:\n  print(n, e.errno)";
    LiveSandbox.Answer answer = sandbox.python("sandbox", fork);
    long start = System.nanoTime();
    sandbox.running().kill();

    assertThat(answer.text()).endsWith(" 11");
    assertThat(Integer.parseInt(answer.text().split(" ")[0])).isBetween(10, LIMITS.processes());
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));
  }

  @Test
  void aFullDiskIsFullInsideAlone() throws Exception {
    LiveSandbox sandbox = launch();

    LiveSandbox.Answer answer =
        sandbox.run("sandbox", "sh", "-c", "head -c 200M /dev/urandom > /home/sandbox/fill");

    assertThat(answer.error()).contains("No space left on device");
    assertThat(sandbox.running().usage().disk().bytes())
        .isLessThanOrEqualTo(LIMITS.disk().bytes() + ByteSize.ofMib(1).bytes());
    assertThat(sandbox.run("sandbox", "echo", "alive").text()).isEqualTo("alive");
  }

  @Test
  void deletedFilesGiveTheirSpaceBack() throws Exception {
    LiveSandbox sandbox = launch();
    sandbox.run("sandbox", "sh", "-c", "head -c 30M /dev/urandom > /home/sandbox/f; sync");
    ByteSize full = sandbox.running().usage().disk();

    sandbox.run("sandbox", "sh", "-c", "rm /home/sandbox/f; sync");

    assertThat(full.mib()).isGreaterThanOrEqualTo(29);
    assertThat(sandbox.running().usage().disk().mib()).isLessThan(10);
  }

  @Test
  void computingTimeIsLimited() throws Exception {
    LiveSandbox sandbox = launch(spec(new Limits(LIMITS.memory(), 0.3, 64, LIMITS.disk())));
    sandbox.run("sandbox", "true");
    Duration before = sandbox.running().usage().cpuTime();

    sandbox.python("sandbox", "import time\nend = time.time() + 2\nwhile time.time() < end: pass");

    Duration used = sandbox.running().usage().cpuTime().minus(before);
    assertThat(used).isBetween(Duration.ofMillis(20), Duration.ofMillis(1100));
  }

  @Test
  void openFilesAreLimited() throws Exception {
    LiveSandbox.Answer answer =
        launch()
            .python(
                "sandbox",
                "import os\ntry:\n  while True: os.dup(0)\nexcept OSError as e: print(e.errno)");

    assertThat(answer.text()).isEqualTo("24");
  }

  @Test
  void usageIsTold() throws Exception {
    Usage usage = launch().running().usage();

    assertThat(usage.processes()).isBetween(1, 10);
    assertThat(usage.memory().bytes()).isPositive().isLessThan(LIMITS.memory().bytes());
    assertThat(usage.cpuTime()).isPositive();
    assertThat(usage.disk().bytes()).isPositive();
  }

  // ---------------------------------------------------------------- apart

  @ParameterizedTest
  @ValueSource(strings = {"sandbox", "root"})
  void hostileCodeIsRefused(String user) throws Exception {
    LiveSandbox.Answer answer = launch().python(user, resource("hostile.py"));

    List<String> lines = answer.output().lines().toList();
    assertThat(lines).filteredOn(line -> !line.endsWith("\tHELD")).isEmpty();
    assertThat(answer.error()).isEmpty();
    assertThat(lines).hasSizeGreaterThan(120);
  }

  @Test
  void aSetuidProgramGainsNothing() throws Exception {
    LiveSandbox sandbox = launch();
    sandbox.run(
        "root", "sh", "-c", "cp /usr/bin/id /usr/local/bin/evil; chmod 4755 /usr/local/bin/evil");

    assertThat(sandbox.run("sandbox", "/usr/local/bin/evil", "-u").text()).isEqualTo("1000");
  }

  @Test
  void theAgentsProgramCannotBeReplaced() throws Exception {
    LiveSandbox.Answer answer =
        launch()
            .run(
                "root",
                "sh",
                "-c",
                "echo x > /.msb/agent; rm -f /.msb/agent; mv /.msb/agent /tmp/a; cp /bin/true /proc/1/exe; "
                    + "touch /.msb/channel/x; rm /.msb/channel/agent.sock");

    assertThat(answer.error().lines())
        .hasSize(6)
        .allMatch(line -> line.matches(".*(Read-only|busy|denied|not permitted).*"));
  }

  @Test
  void twoSandboxesAreApart() throws Exception {
    LiveSandbox one = launch();
    LiveSandbox other = launch();
    one.run(
        "root",
        "sh",
        "-c",
        "echo secret > /tmp/s; echo secret > /home/sandbox/s; echo secret > /dev/shm/s");
    var sleeping = one.start("sandbox", "sleep", "60");

    String find = "cat /tmp/s /home/sandbox/s /dev/shm/s; cat /proc/[0-9]*/cmdline | tr '\\0' ' '";
    LiveSandbox.Answer answer = other.run("root", "sh", "-c", find);

    assertThat(answer.output()).doesNotContain("secret").doesNotContain("sleep 60");
    assertThat(sleeping).isNotDone();
  }

  // ---------------------------------------------------------------- what has to go on working

  @Test
  void rootInstallsAPackageThatHasFilesOfOthers() throws Exception {
    String build =
        """
        set -e
        mkdir -p /tmp/p/DEBIAN /tmp/p/opt/p
        printf 'Package: p\\nVersion: 1\\nArchitecture: all\\nMaintainer: m\\nDescription: d\\n' > /tmp/p/DEBIAN/control
        printf '#!/bin/sh\\nset -e\\nuseradd --system p; chown p:p /opt/p/f; chmod 2755 /opt/p/f\\n' > /tmp/p/DEBIAN/postinst
        chmod 755 /tmp/p/DEBIAN/postinst
        echo hello > /tmp/p/opt/p/f
        dpkg-deb --build --root-owner-group /tmp/p /tmp/p.deb
        apt-get install -y /tmp/p.deb
        stat -c '%U %a' /opt/p/f
        mv /usr/share/doc /usr/share/doc2
        apt-get remove -y p
        test ! -e /opt/p/f
        echo removed
        """;
    LiveSandbox.Answer answer = launch().run("root", "sh", "-c", build);

    assertThat(answer.output()).as(answer.error()).contains("p 2755").endsWith("removed\n");
  }

  @Test
  void pythonsOwnToolsWork() throws Exception {
    String program =
        """
        import asyncio, concurrent.futures, ctypes, mmap, multiprocessing, os, pty, socket, subprocess, tempfile, threading
        print(multiprocessing.get_context("fork").Pool(2).map(abs, [-1, -2]))
        print(list(concurrent.futures.ThreadPoolExecutor(4).map(abs, [-3, -4])))
        async def shell():
            p = await asyncio.create_subprocess_shell("echo five", stdout=-1)
            return (await p.communicate())[0]
        print(asyncio.run(shell()))
        s = socket.create_server(("127.0.0.1", 80))
        c = socket.create_connection(s.getsockname())
        print(c.getpeername()[1], socket.getaddrinfo("localhost", 80)[0][1])
        m, w = pty.openpty()
        print(os.ttyname(w).startswith("/dev/pts/"))
        print(subprocess.run(["python3", "-m", "venv", tempfile.mkdtemp()]).returncode)
        from multiprocessing import shared_memory
        x = shared_memory.SharedMemory(create=True, size=10); x.close(); x.unlink()
        os.mkfifo("/tmp/fifo"); os.memfd_create("m"); os.sched_setaffinity(0, os.sched_getaffinity(0))
        print("done")
        """;
    LiveSandbox.Answer answer = launch().python("sandbox", program);

    assertThat(answer.output().lines())
        .as(answer.error())
        .containsExactly("[1, 2]", "[3, 4]", "b'five\\n'", "80 1", "True", "0", "done");
  }

  // ---------------------------------------------------------------- ending

  @Test
  void killingEndsEverythingAndLeavesOnlyTheDisk() throws Exception {
    LiveSandbox sandbox = launch();
    sandbox.run(
        "sandbox", "sh", "-c", "for i in 1 2 3; do setsid nohup sleep 600 >/dev/null 2>&1 & done");

    sandbox.running().kill();
    sandbox.running().kill();

    assertThat(sandbox.running().ended().get(1, TimeUnit.SECONDS).outOfMemory()).isFalse();
    driver.removeDisk(sandbox.running().id());
    assertThat(driver.leftovers()).isEmpty();
  }

  @Test
  void theEndOfTheFirstProcessIsTold() throws Exception {
    LiveSandbox sandbox = launch();
    sandbox.run("sandbox", "true");

    sandbox.agent().shutdown(Duration.ofMillis(200));

    assertThat(sandbox.running().ended().get(5, TimeUnit.SECONDS).outOfMemory()).isFalse();
  }

  @Test
  void frozenProcessesStandStillUntilThawed() throws Exception {
    LiveSandbox sandbox = launch();
    sandbox.run("sandbox", "true");

    sandbox.running().freeze();
    var answer = sandbox.start("sandbox", "echo", "awake");
    Thread.sleep(300);
    assertThat(answer).isNotDone();
    sandbox.running().thaw();

    assertThat(answer.get(5, TimeUnit.SECONDS).text()).isEqualTo("awake");
  }

  @Test
  void aFrozenSandboxCanBeKilled() throws Exception {
    LiveSandbox sandbox = launch();
    sandbox.running().freeze();

    sandbox.running().kill();

    assertThat(sandbox.running().ended()).succeedsWithin(Duration.ofSeconds(2));
  }

  @Test
  void removingWhatIsNotThereIsHarmless() {
    SandboxId nobody = SandboxId.random();

    driver.remove(nobody);
    driver.removeDisk(nobody);

    assertThat(driver.leftovers()).isEmpty();
  }

  private static String resource(String name) throws IOException {
    try (InputStream in = IsolationDriverContractTest.class.getResourceAsStream(name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
