package dev.microsandbox.engine;

import static dev.microsandbox.engine.RealEngine.ME;
import static org.assertj.core.api.Assertions.assertThat;

import dev.microsandbox.linux.Trees;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.ImageReference;
import dev.microsandbox.model.NetworkPolicy;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxId;
import dev.microsandbox.model.SandboxSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Pools of real containers: a claim is all that makes a sandbox somebody's.
@Timeout(300)
class PoolIT {
  private static final int LIMIT = 20;
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final Path home = RealEngine.newHome();
  private RealEngine server;

  @BeforeEach
  void open() {
    server =
        new RealEngine(
            home,
            Map.of(
                "pool", "on",
                "pool-min", "0",
                "pool-rate", "100",
                "agent-patience", "60",
                "connect-timeout", "60"));
  }

  @AfterEach
  void close() throws IOException {
    server.close();
    try (Stream<Path> left = Files.list(home.resolve("sandboxes"))) {
      assertThat(left).as("what a closed server leaves").isEmpty();
    }
    Trees.delete(home);
  }

  /// Keeps so many ready, and no more while the test goes on.
  private List<SandboxId> fill(ImageReference image, int count) throws InterruptedException {
    bound(image, count);
    until(() -> {
      server.engine.tendPools();
      return server.engine.pools().stream()
          .anyMatch(pool -> pool.key().image().equals(image) && pool.ready() == count);
    });
    return members();
  }

  private static void until(BooleanSupplier claim) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!claim.getAsBoolean()) {
      assertThat(System.nanoTime()).as("it has not come about in time").isLessThan(end);
      Thread.sleep(5);
    }
  }

  private void bound(ImageReference image, int count) {
    var _ =
        server.engine.setPool(
            new PoolService.PoolBounds(
                image, null, RealEngine.spec("any", image, true).limits(), count, count));
  }

  private List<SandboxId> members() {
    try (Stream<Path> folders = Files.list(home.resolve("sandboxes"))) {
      return folders.map(folder -> new SandboxId(folder.getFileName().toString())).toList();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private SandboxInfo create(
      String name, ImageReference image, Map<String, String> variables, NetworkPolicy network) {
    SandboxSpec plain = RealEngine.spec(name, image, true);
    return server.engine.create(
        ME,
        new SandboxSpec(
            plain.owner(),
            plain.namespace(),
            plain.name(),
            plain.image(),
            plain.isolation(),
            plain.limits(),
            variables,
            Map.of("team", "x"),
            network,
            plain.timeToLive(),
            plain.idleTimeout(),
            plain.ephemeral()));
  }

  private String run(SandboxInfo sandbox, String language, String code)
      throws InterruptedException {
    RunResult result =
        server.engine.run(ME, SandboxRef.of(sandbox.id()), RunRequest.of(language, code)).await();
    return result.stdout().text() + result.stderr().text();
  }

  private String shell(SandboxInfo sandbox, String line) throws InterruptedException {
    return server.command(SandboxRef.of(sandbox.id()), "sh", "-c", line).stdout().text();
  }

  @Test
  void aClaimIsTheWholeIdentity() throws InterruptedException {
    List<SandboxId> members = fill(ImageReference.PYTHON, 1);
    SandboxInfo claimed =
        create("claimed", ImageReference.PYTHON, Map.of("GREETING", "hi"), NetworkPolicy.PUBLIC);
    assertThat(members).containsExactly(claimed.id());
    assertThat(claimed.spec().labels()).containsEntry("team", "x");
    assertThat(run(claimed, "python", "import os, socket\nprint(os.environ['GREETING'])"))
        .isEqualTo("hi\n");
    assertThat(run(claimed, "python", "print(socket.gethostname())")).isEqualTo("claimed\n");
    assertThat(shell(claimed, "echo $GREETING; hostname; cat /etc/hostname; getent hosts claimed"))
        .startsWith("hi\nclaimed\nclaimed\n")
        .contains("127.0.1.1");
    assertThat(shell(claimed, "cat /etc/resolv.conf")).doesNotContain("127.0.0.1");
  }

  @Test
  void aClaimReachesNodeAsWell() throws InterruptedException {
    List<SandboxId> members = fill(ImageReference.NODE, 1);
    SandboxInfo claimed =
        create("claimed", ImageReference.NODE, Map.of("GREETING", "hi"), NetworkPolicy.NONE);
    assertThat(members).containsExactly(claimed.id());
    assertThat(run(claimed, "node", "console.log(process.env.GREETING, os.hostname())"))
        .isEqualTo("hi claimed\n");
  }

  @Test
  void aVariableOfTheStartActsOnPythonAndOnNode() throws InterruptedException {
    fill(ImageReference.PYTHON, 1);
    SandboxInfo python =
        create(
            "python",
            ImageReference.PYTHON,
            Map.of("PYTHONPATH", "/opt/here", "PYTHONHASHSEED", "1"),
            NetworkPolicy.PUBLIC);
    assertThat(run(python, "python", "import sys; print('/opt/here' in sys.path, hash('a'))"))
        .isEqualTo(run(python, "python", expectedHash()));
    fill(ImageReference.NODE, 1);
    SandboxInfo node =
        create(
            "node",
            ImageReference.NODE,
            Map.of("NODE_OPTIONS", "--stack-trace-limit=7"),
            NetworkPolicy.PUBLIC);
    assertThat(run(node, "node", "console.log(Error.stackTraceLimit)")).isEqualTo("7\n");
    assertThat(server.engine.totals().hits()).isEqualTo(2);
  }

  /// What another interpreter with the same seed says.
  private static String expectedHash() {
    return """
    import subprocess
    print(True, subprocess.run(['python3', '-c', "print(hash('a'))"],
        capture_output=True, text=True).stdout.strip())
    """;
  }

  @Test
  void aClaimWithoutNetworkHasNone() throws InterruptedException {
    fill(ImageReference.PYTHON, 1);
    SandboxInfo claimed = create("offline", ImageReference.PYTHON, Map.of(), NetworkPolicy.NONE);
    assertThat(run(claimed, "python", connecting())).isEqualTo("refused\nno name\n");
    assertThat(server.engine.totals().hits()).isEqualTo(1);
  }

  private static String connecting() {
    return """
    import socket
    try:
        socket.create_connection(("192.0.2.1", 80), 5)
        print("connected")
    except OSError:
        print("refused")
    try:
        print(socket.getaddrinfo("example.org", 80))
    except OSError:
        print("no name")
    """;
  }

  @Test
  void anUnclaimedOneHasNothingOfAnybody() throws Exception {
    create("other", ImageReference.PYTHON, Map.of("SECRET", "s3cret"), NetworkPolicy.PUBLIC);
    server.engine.stop(ME, SandboxRef.of("other"));
    SandboxId member = fill(ImageReference.PYTHON, 1).getFirst();
    long first = Leftovers.firstProcess(member);
    for (long process : processesOf(member)) {
      assertThat(Files.readString(Path.of("/proc/" + process + "/environ")))
          .doesNotContain("s3cret")
          .doesNotContain("GREETING");
    }
    Path root = Path.of("/proc/" + first + "/root");
    assertThat(Files.readString(root.resolve("etc/hostname"))).isEqualTo("sandbox\n");
    assertThat(Files.readString(root.resolve("etc/resolv.conf"))).contains("127.0.0.1");
    assertThat(Files.readString(Path.of("/proc/" + first + "/net/tcp")).lines())
        .as("a heading and no connection")
        .hasSize(1);
    assertThat(server.engine.list(ME, SandboxFilter.ALL)).isEmpty();
  }

  private static List<Long> processesOf(SandboxId id) throws IOException {
    List<Long> found = new ArrayList<>();
    try (Stream<Path> entries = Files.list(Path.of("/proc"))) {
      for (Path entry : entries.toList()) {
        String name = entry.getFileName().toString();
        if (name.matches("\\d+") && in(entry, id)) {
          found.add(Long.parseLong(name));
        }
      }
    }
    return found;
  }

  private static boolean in(Path process, SandboxId id) {
    try {
      return Files.readString(process.resolve("cgroup")).contains(id.value());
    } catch (IOException _) {
      return false; // it has just ended
    }
  }

  @Test
  void aMemberThatWasKilledIsNotGivenAndIsReplaced() throws Exception {
    SandboxId member = fill(ImageReference.PYTHON, 1).getFirst();
    ProcessHandle.of(Leftovers.firstProcess(member)).orElseThrow().destroyForcibly();
    SandboxInfo made = create("fresh", ImageReference.PYTHON, Map.of(), NetworkPolicy.PUBLIC);
    assertThat(made.id()).isNotEqualTo(member);
    assertThat(run(made, "python", "print(1)")).isEqualTo("1\n");
    until(() -> Leftovers.of(member, home).isEmpty());
    until(() -> {
      server.engine.tendPools();
      return server.engine.totals().ready() == 1;
    });
  }

  @Test
  void aThousandRacersMakeExactlyAsManyAsTheLimitAllows() throws Exception {
    fill(ImageReference.PYTHON, LIMIT - 4);
    List<Future<SandboxInfo>> racers = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 1000; i++) {
        String name = "racer-" + i;
        racers.add(
            threads.submit(
                () -> create(name, ImageReference.PYTHON, Map.of(), NetworkPolicy.NONE)));
      }
    }
    Set<SandboxId> made = new HashSet<>();
    for (Future<SandboxInfo> racer : racers) {
      switch (racer.state()) {
        case SUCCESS -> assertThat(made.add(racer.resultNow().id())).isTrue();
        default ->
            assertThat(racer.exceptionNow())
                .isInstanceOfSatisfying(
                    SandboxException.class,
                    e -> assertThat(e.code()).isEqualTo(ErrorCode.TOO_MANY_SANDBOXES));
      }
    }
    assertThat(made).hasSize(LIMIT);
    assertThat(server.engine.totals().hits()).isEqualTo(LIMIT - 4);
    assertThat(members()).hasSize(LIMIT);
    for (SandboxInfo info : server.engine.list(ME, SandboxFilter.ALL)) {
      assertThat(run(info, "python", "import socket; print(socket.gethostname())"))
          .isEqualTo(info.spec().name().value() + "\n");
    }
  }
}
