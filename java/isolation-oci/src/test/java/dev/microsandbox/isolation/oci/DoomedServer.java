package dev.microsandbox.isolation.oci;

import dev.microsandbox.isolation.IdRange;
import dev.microsandbox.isolation.LaunchSpec;
import dev.microsandbox.isolation.TestParts;
import dev.microsandbox.model.Limits;
import dev.microsandbox.model.SandboxId;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// A process of its own that launches one sandbox and dies on the way, as by kill -9: nothing is
/// closed, nothing is told. Arguments: home, runtime, sandbox id, the step after which to die.
final class DoomedServer {
  private static final int KILLED = 137;

  private DoomedServer() {}

  public static void main(String[] arguments) throws Exception {
    Path home = Path.of(arguments[0]);
    ContainerSettings settings =
        ContainerSettings.of(home, TestParts.agent())
            .withSockets(home.resolve("r"))
            .withRuntime(arguments[1]);
    ContainerDriver driver = ContainerDriver.open(settings);
    driver.probe();
    driver.onStep(step -> {
      if (step.equals(arguments[3])) {
        java.lang.Runtime.getRuntime().halt(KILLED);
      }
    });
    driver.launch(
        new LaunchSpec(
            new SandboxId(arguments[2]),
            TestParts.pythonImage(),
            Map.of(),
            Limits.DEFAULT,
            new IdRange(IdRange.SIZE * 3000),
            true));
    Thread.sleep(60_000);
  }

  /// Starts one; the caller waits for its end or brings it about.
  static Process start(Path home, String runtime, SandboxId id, String step) throws Exception {
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin/java").toString(),
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            DoomedServer.class.getName(),
            home.toString(),
            runtime,
            id.value(),
            step);
    return new ProcessBuilder(command).inheritIO().start();
  }
}
