package dev.microsandbox.server;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What clients send, as `spec/openapi.yaml` has it. A component without `@Nullable` is required.
final class RequestBodies {
  private RequestBodies() {}

  record CreateSandbox(
      @Nullable String name,
      @Nullable String namespace,
      @Nullable String image,
      @Nullable String isolation,
      @Nullable Integer memory,
      @Nullable Double cpus,
      @Nullable Integer processes,
      @Nullable Integer disk,
      @Nullable Map<String, String> env,
      @Nullable Map<String, String> labels,
      @Nullable String network,
      @Nullable Double timeToLive,
      @Nullable Double idleTimeout,
      @Nullable Boolean ephemeral) {
    static final CreateSandbox EMPTY =
        new CreateSandbox(
            null, null, null, null, null, null, null, null, null, null, null, null, null, null);
  }

  record ExtendSandbox(@Nullable Double timeToLive, @Nullable Double idleTimeout) {
    static final ExtendSandbox EMPTY = new ExtendSandbox(null, null);
  }

  record RunCell(
      String code,
      @Nullable String language,
      @Nullable String context,
      @Nullable Double timeout,
      @Nullable Boolean keepRunning,
      @Nullable Integer outputLimit) {}

  record RunCommand(
      List<String> argv,
      @Nullable Map<String, String> env,
      @Nullable String workingDirectory,
      @Nullable String user,
      @Nullable String stdin,
      @Nullable String stdinBase64,
      @Nullable Double timeout,
      @Nullable Boolean keepRunning,
      @Nullable Integer outputLimit) {}

  record Signal(Integer signal, @Nullable Boolean group) {}

  record OpenContext(
      @Nullable String id,
      String language,
      @Nullable Map<String, String> env,
      @Nullable String workingDirectory,
      @Nullable String user) {}

  record SetPool(
      @Nullable String image,
      @Nullable String isolation,
      @Nullable Integer memory,
      @Nullable Double cpus,
      @Nullable Integer processes,
      @Nullable Integer disk,
      Integer minimum,
      @Nullable Integer maximum) {}

  record Shutdown(@Nullable Boolean keepSandboxes) {
    static final Shutdown EMPTY = new Shutdown(null);
  }

  record CreateKey(@Nullable String name, @Nullable String owner) {
    static final CreateKey EMPTY = new CreateKey(null, null);
  }
}
