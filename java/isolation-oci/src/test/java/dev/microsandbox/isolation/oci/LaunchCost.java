package dev.microsandbox.isolation.oci;

import dev.microsandbox.isolation.IdRange;
import dev.microsandbox.isolation.LaunchSpec;
import dev.microsandbox.isolation.TestParts;
import dev.microsandbox.linux.Trees;
import dev.microsandbox.model.Limits;
import dev.microsandbox.model.SandboxId;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Measures what each step of a launch takes, and prints the table of docs/performance.md: the
/// least and the median of some launches, in milliseconds, by each runtime.
final class LaunchCost {
  private static final int WARM_UP = 10;

  private LaunchCost() {}

  public static void main(String[] arguments) throws Exception {
    int count = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 30;
    Map<String, List<Double>> crun = measure("crun", count);
    Map<String, List<Double>> runc = measure("runc", count);
    System.out.println("| step | crun, least | median | runc, least | median |");
    System.out.println("|---|---|---|---|---|");
    crun.forEach((step, times) ->
        System.out.println(
            "| " + step + cells(times) + cells(runc.getOrDefault(step, List.of())) + " |"));
  }

  private static Map<String, List<Double>> measure(String runtime, int count) throws Exception {
    Map<String, List<Double>> times = new LinkedHashMap<>();
    Path home = TestParts.newHome();
    ContainerSettings settings =
        ContainerSettings.of(home, TestParts.agent())
            .withSockets(home.resolve("r"))
            .withRuntime(runtime);
    try (ContainerDriver driver = ContainerDriver.open(settings)) {
      driver.probe();
      for (int i = 0; i < WARM_UP + count; i++) {
        Map<String, Double> once = once(driver, new IdRange(IdRange.SIZE * (2000 + i % 8)));
        if (i >= WARM_UP) {
          once.forEach(
              (step, time) -> times.computeIfAbsent(step, _ -> new ArrayList<>()).add(time));
        }
      }
    } finally {
      Trees.delete(home);
    }
    return times;
  }

  private static Map<String, Double> once(ContainerDriver driver, IdRange ids) throws Exception {
    SandboxId id = SandboxId.random();
    LaunchSpec spec =
        new LaunchSpec(id, TestParts.pythonImage(), Map.of(), Limits.DEFAULT, ids, true);
    Map<String, Double> times = new LinkedHashMap<>();
    Container container = driver.launch(spec);
    long launched = System.nanoTime();
    SocketChannel agent = container.transport().next(Duration.ofSeconds(10));
    long dialled = System.nanoTime();
    container.steps().times().forEach((step, time) -> times.put(step, time.toNanos() / 1e6));
    times.put("the agent dials", (dialled - launched) / 1e6);
    times.put("**in all**", times.values().stream().mapToDouble(Double::doubleValue).sum());
    container.kill();
    times.put("kill and remove", (System.nanoTime() - dialled) / 1e6);
    agent.close();
    driver.removeDisk(id);
    return times;
  }

  private static String cells(List<Double> times) {
    List<Double> sorted = times.stream().sorted().toList();
    return " | %.1f | %.1f".formatted(sorted.getFirst(), sorted.get(sorted.size() / 2));
  }
}
