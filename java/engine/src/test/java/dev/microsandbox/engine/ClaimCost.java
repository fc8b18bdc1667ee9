package dev.microsandbox.engine;

import dev.microsandbox.model.ImageReference;
import dev.microsandbox.model.SandboxSpec;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Prints what a claim costs within the engine, beside a creation without a pool, on this host. A
/// program, no test: `ClaimCost [rounds]`, as root.
final class ClaimCost {
  private static final Caller ME = Caller.LOCAL;

  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
  private static final List<Double> PROCESSOR = new ArrayList<>();

  private ClaimCost() {}

  public static void main(String... arguments) throws Exception {
    int rounds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 100;
    Map<String, String> settings =
        Map.of(
            "pool", "on",
            "pool-min", "0",
            "pool-rate", "100",
            "max-sandboxes", "200",
            "id-ranges", "300",
            "max-sandboxes-per-owner", "200");
    Path home = RealEngine.newHome();
    try (RealEngine server = new RealEngine(home, settings)) {
      server.engine.startPools();
      oneByOne(server, rounds);
      if (arguments.length > 1) {
        allAtOnce(server, Integer.parseInt(arguments[1]));
      }
    }
    dev.microsandbox.linux.Trees.delete(home);
  }

  private static void oneByOne(RealEngine server, int rounds) throws InterruptedException {
    List<Double> claims = new ArrayList<>();
    List<Double> firstResults = new ArrayList<>();
    List<Double> startVariable = new ArrayList<>();
    List<Double> unpooled = new ArrayList<>();
    for (int i = 0; i < rounds; i++) {
      keep(server, 2);
      time(server, spec("a", Map.of("A", "b")), claims, firstResults);
      time(server, spec("a", Map.of("PYTHONHASHSEED", "1")), new ArrayList<>(), startVariable);
      keep(server, 0);
      time(server, spec("a", Map.of("A", "b")), new ArrayList<>(), unpooled);
    }
    print("claim", claims);
    print("processor time of the caller's thread, all creations", PROCESSOR);
    print("claim to the first cell's result", firstResults);
    print("the same with a variable of the interpreter's start", startVariable);
    print("creation without a pool to the first cell's result", unpooled);
    System.out.println(server.engine.totals());
  }

  private static void time(
      RealEngine server, SandboxSpec spec, List<Double> creations, List<Double> results)
      throws InterruptedException {
    long busy = THREADS.getCurrentThreadCpuTime();
    long start = System.nanoTime();
    SandboxInfo info = server.engine.create(ME, spec);
    long created = System.nanoTime();
    PROCESSOR.add((THREADS.getCurrentThreadCpuTime() - busy) / 1e6);
    RunResult result = server.python(SandboxRef.of(info.id()), "print(1)");
    long done = System.nanoTime();
    if (!result.stdout().text().equals("1\n")) {
      throw new IllegalStateException("a wrong result");
    }
    creations.add((created - start) / 1e6);
    results.add((done - start) / 1e6);
    server.engine.stop(ME, SandboxRef.of(info.id()));
  }

  private static void allAtOnce(RealEngine server, int count) throws Exception {
    for (int round = 0; round < 5; round++) {
      keep(server, count);
      List<Future<SandboxInfo>> creations = new ArrayList<>();
      long start = System.nanoTime();
      try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int i = 0; i < count; i++) {
          SandboxSpec spec = spec("burst-" + i, Map.of("A", "b"));
          creations.add(threads.submit(() -> server.engine.create(ME, spec)));
        }
      }
      System.out.printf(
          "%d at once: %.1f ms; %s%n",
          count, (System.nanoTime() - start) / 1e6, server.engine.totals());
      keep(server, 0);
      for (Future<SandboxInfo> creation : creations) {
        server.engine.stop(ME, SandboxRef.of(creation.get().id()));
      }
    }
  }

  private static SandboxSpec spec(String name, Map<String, String> variables) {
    SandboxSpec plain = RealEngine.spec(name, ImageReference.PYTHON, true);
    return new SandboxSpec(
        plain.owner(),
        plain.namespace(),
        plain.name(),
        plain.image(),
        plain.isolation(),
        plain.limits(),
        variables,
        plain.labels(),
        plain.network(),
        plain.timeToLive(),
        plain.idleTimeout(),
        plain.ephemeral());
  }

  /// Has so many ready, and nothing under way.
  private static void keep(RealEngine server, int count) throws InterruptedException {
    SandboxSpec spec = RealEngine.spec("any", ImageReference.PYTHON, true);
    var _ =
        server.engine.setPool(
            new PoolService.PoolBounds(
                ImageReference.PYTHON,
                null,
                spec.limits(),
                count,
                count == 0 ? (Integer) 0 : count));
    while (server.engine.totals().ready() != count || server.engine.totals().starting() != 0) {
      Thread.sleep(5);
    }
  }

  private static void print(String what, List<Double> millis) {
    Collections.sort(millis);
    System.out.printf(
        "%-55s least %7.2f  median %7.2f  p99 %7.2f ms%n",
        what,
        millis.getFirst(),
        millis.get(millis.size() / 2),
        millis.get((int) (millis.size() * 0.99)));
  }
}
