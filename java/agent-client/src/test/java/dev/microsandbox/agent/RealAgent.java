package dev.microsandbox.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// The agent's own binary, started on this host with a socket to dial.
final class RealAgent implements AutoCloseable {
  private static final Path BINARY = Path.of("../../agent/target/release/agent");

  private final Process process;

  private RealAgent(Process process) {
    this.process = process;
  }

  static RealAgent start(ChannelFixture fixture) throws IOException {
    Path binary = Path.of(System.getProperty("agent.binary", BINARY.toString()));
    if (!Files.isExecutable(binary)) {
      throw new IllegalStateException("no agent at " + binary + "; run agent/build first");
    }
    ProcessBuilder builder =
        new ProcessBuilder(List.of(binary.toString(), "--socket", fixture.path.toString()))
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD);
    builder.environment().putAll(Map.of("MSB_SANDBOX_ID", fixture.sandbox.value()));
    return new RealAgent(builder.start());
  }

  ProcessHandle handle() {
    return process.toHandle();
  }

  @Override
  public void close() {
    List<ProcessHandle> all = process.descendants().toList();
    process.destroyForcibly();
    all.forEach(ProcessHandle::destroyForcibly);
    try {
      process.waitFor(5, TimeUnit.SECONDS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
