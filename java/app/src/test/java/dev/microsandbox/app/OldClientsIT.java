package dev.microsandbox.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Clients of the original system as they were published, against our server. Needs root, the
/// images, and PyPI.
class OldClientsIT {
  private static final String CLIENT = "microsandbox==0.1.8";
  @TempDir private Path folder;

  @Test
  void thePublishedPythonClientWorksUnchanged() throws Exception {
    Path python = folder.resolve("venv/bin/python");
    assertThat(run(Map.of(), "python3", "-m", "venv", folder.resolve("venv").toString()).code())
        .isZero();
    assumeTrue(
        run(Map.of(), python.toString(), "-m", "pip", "install", "-q", CLIENT).code() == 0,
        "the old client cannot be installed from PyPI here");
    Path home = RunningServer.newHome();
    try (RunningServer server = RunningServer.start(home, RunningServer.freePort())) {
      Said said =
          run(
              Map.of("MSB_SERVER_URL", "http://127.0.0.1:" + server.port),
              python.toString(),
              Path.of("src/test/resources/old-clients/python.py").toAbsolutePath().toString());
      assertThat(said.text())
          .isEqualTo(
              """
              Hello from Python! False success python
              True NameError: name 'undefined_name' is not defined
              hi 3 False
              old-python True True True
              Hello from Node.js!
              Failed to execute command:  True
              """);
      assertThat(said.code()).isZero();
    }
    RunningServer.remove(home);
  }

  private record Said(int code, String text) {}

  private static Said run(Map<String, String> environment, String... command)
      throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(List.of(command)).redirectErrorStream(true);
    builder.environment().putAll(environment);
    builder.environment().remove("MSB_API_KEY");
    Process process = builder.start();
    process.getOutputStream().close();
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Said(process.waitFor(), text);
  }
}
