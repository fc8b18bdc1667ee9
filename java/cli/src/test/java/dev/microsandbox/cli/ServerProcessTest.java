package dev.microsandbox.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ServerProcessTest {
  @Test
  void theServerHasAllJarsOfTheFolderAndClassesAsTheyAreGiven() {
    assertThat(ServerProcess.classPath("/opt/lib/microsandbox-cli-1.jar")).isEqualTo("/opt/lib/*");
    assertThat(ServerProcess.classPath("/a/classes:/b/x.jar")).isEqualTo("/a/classes:/b/x.jar");
  }
}
