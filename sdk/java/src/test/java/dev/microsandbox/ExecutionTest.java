package dev.microsandbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class ExecutionTest {
  @TestFactory
  Stream<DynamicTest> executionSaysWhatTheVectorsSay() throws IOException {
    List<DynamicTest> tests =
        Spec.read("vectors/executions.json").objects("executions", ExecutionTest::vector);
    assertThat(tests).hasSizeGreaterThan(8);
    return tests.stream();
  }

  private static DynamicTest vector(JsonObject vector) {
    return DynamicTest.dynamicTest(
        vector.text("name"),
        () -> {
          Execution execution = Execution.of(vector.object("run"));
          assertThat(execution.output()).isEqualTo(vector.text("output"));
          assertThat(execution.error()).isEqualTo(vector.text("error"));
          assertThat(execution.hasError()).isEqualTo(vector.truth("has_error"));
          assertThat(execution.status()).isEqualTo(execution.hasError() ? "error" : "success");
          assertThat(execution.outcome().text()).isEqualTo(vector.object("run").text("outcome"));
        });
  }

  @Test
  void outcomeThatIsNewerThanThisClientIsAnError() {
    Execution execution = Execution.of(new JsonObject(Map.of("outcome", "from_the_future")));
    assertThat(execution.outcome()).isEqualTo(Outcome.UNKNOWN);
    assertThat(execution.hasError()).isTrue();
  }

  @Test
  void commandEndedByASignalHasTheCodeOfAShell() {
    assertThat(command(Map.of("outcome", "signaled", "signal", 9)).exitCode()).isEqualTo(137);
    assertThat(command(Map.of("outcome", "sandbox_ended")).exitCode()).isEqualTo(-1);
    assertThat(command(Map.of("outcome", "exited", "exit_code", 0)).success()).isTrue();
    assertThat(command(Map.of("outcome", "exited", "exit_code", 1)).success()).isFalse();
  }

  private static CommandExecution command(Map<String, Object> run) {
    return CommandExecution.of("true", List.of(), new JsonObject(Map.copyOf(run)));
  }
}
