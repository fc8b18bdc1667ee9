package dev.microsandbox.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.microsandbox.ImageSandbox;
import dev.microsandbox.NodeSandbox;
import dev.microsandbox.PythonSandbox;
import dev.microsandbox.Server;
import dev.microsandbox.junit.Sandbox;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.platform.testkit.engine.EngineExecutionResults;
import org.junit.platform.testkit.engine.EngineTestKit;

/// The JUnit extension, in tests that are run by JUnit within these tests.
@Timeout(180)
class SandboxExtensionIT {
  private static RunningServer running;

  @BeforeAll
  static void start() throws Exception {
    running = RunningServer.start();
  }

  @AfterAll
  static void stop() throws Exception {
    running.close();
  }

  private static EngineExecutionResults run(Class<?> tests) {
    return EngineTestKit.engine("junit-jupiter")
        .configurationParameter("microsandbox.server-url", running.unixUrl())
        .selectors(selectClass(tests))
        .execute();
  }

  @Test
  void sandboxesAreGivenAndRemoved() {
    GivenTests.NAMES.clear();
    run(GivenTests.class).testEvents().assertStatistics(each -> each.started(2).succeeded(2));
    assertThat(GivenTests.NAMES).as("two for each test, and one for both").hasSize(5);
    assertThat(Server.of(running.unixUrl()).sandboxes()).isEmpty();
  }

  @Test
  void sandboxesOfATestThatFailsAreRemovedToo() {
    run(FailingTests.class).testEvents().assertStatistics(each -> each.started(2).failed(2));
    assertThat(Server.of(running.unixUrl()).sandboxes()).isEmpty();
  }

  /// Run by the tests above.
  static class GivenTests {
    static final Set<String> NAMES = new HashSet<>();

    @Sandbox(memory = 128, network = "none")
    static PythonSandbox shared;

    @Sandbox(image = "microsandbox/node", cpus = 0.5, env = "A=b=c")
    private ImageSandbox own;

    @Test
    void first(@Sandbox NodeSandbox sandbox) {
      check(sandbox);
    }

    @Test
    void second(@Sandbox NodeSandbox sandbox) {
      check(sandbox);
    }

    private void check(NodeSandbox sandbox) {
      assertThat(shared.run("n = globals().get('n', 0) + 1; n").hasError()).isFalse();
      assertThat(shared.info().memory()).isEqualTo(128);
      assertThat(own.run("process.env.A").output()).isEqualTo("'b=c'");
      assertThat(sandbox.run("1 + 1").output()).isEqualTo("2");
      NAMES.add(shared.name());
      NAMES.add(own.name());
      NAMES.add(sandbox.name());
    }
  }

  /// Run by the tests above.
  static class FailingTests {
    @Test
    void fails(@Sandbox PythonSandbox sandbox) {
      assertThat(sandbox.run("1").output()).isEqualTo("2");
    }

    @Test
    void asksForWhatIsNotThere(@Sandbox PythonSandbox one, @Sandbox String two) {
      assertThat(two).isNotNull();
    }
  }
}
