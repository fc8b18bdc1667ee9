package dev.microsandbox.isolation.oci;

import dev.microsandbox.linux.CommandResult;
import dev.microsandbox.linux.HostCommand;
import dev.microsandbox.linux.LinuxException;
import dev.microsandbox.linux.SandboxMounts;
import dev.microsandbox.model.SandboxId;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/// A container runtime of the host. It is asked for one thing: to make a container and start its
/// first process. Everything after that, ending it included, needs no runtime, and so no runtime
/// can get in its way.
///
/// @param program absolute path
/// @param version the first line that it says of itself
/// @param startLimit one that takes longer hangs, and is killed
record Runtime(Path program, String version, Duration startLimit) {
  private static final Duration QUESTION = Duration.ofSeconds(5);

  private static final Map<String, String> ENVIRONMENT =
      Map.of("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  private static final String PID_FILE = "pid";
  private static final String LOG = "log";

  /// Asks a program for its version.
  static Runtime ask(Path program, Duration startLimit) throws IOException, InterruptedException {
    CommandResult answer =
        HostCommand.of(program.toString(), "--version").withDeadline(QUESTION).run().orThrow();
    return new Runtime(program, answer.output().lines().findFirst().orElse("").strip(), startLimit);
  }

  /// Where a runtime keeps what it knows of a sandbox: nowhere but in our namespace.
  static Path state(SandboxMounts mounts, SandboxId id) {
    return mounts.folder(id).resolve("state");
  }

  /// Starts a container whose configuration is in the sandbox's folder.
  ///
  /// @return the host's id of its first process
  int start(SandboxMounts mounts, SandboxId id) throws IOException, InterruptedException {
    Path folder = mounts.folder(id);
    HostCommand command =
        HostCommand.of(program.toString())
            .withArguments(List.of("--root", state(mounts, id).toString()))
            .withArguments(List.of("--log", folder.resolve(LOG).toString(), "--log-format", "json"))
            .withArguments(List.of("run", "--detach", "--bundle", folder.toString()))
            .withArguments(List.of("--pid-file", folder.resolve(PID_FILE).toString(), id.value()))
            .withEnvironment(ENVIRONMENT)
            .withDeadline(startLimit)
            .withoutStreams();
    CommandResult result = mounts.run(command);
    if (!result.succeeded()) {
      String how = result.timedOut() ? "did not end in time" : "ended with " + result.exitCode();
      throw new LinuxException(
          program.getFileName() + " " + how + ": " + mounts.read(id, LOG).strip());
    }
    return Integer.parseInt(mounts.read(id, PID_FILE).strip());
  }
}
