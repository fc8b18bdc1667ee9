package dev.microsandbox.engine;

import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A program to start in a sandbox. No shell is involved.
///
/// @param argv the program, looked up on the user's PATH, and its arguments
/// @param workingDirectory the user's home where empty
/// @param user `sandbox` where empty, or `root`
/// @param stdin what it reads, then end of file; null for an empty input
/// @param openStdin more input follows by [RunStream#write]; only for streams
/// @param timeout null for the server's default (300 s), zero for none
/// @param keepRunning it goes on when its client goes away
/// @param outputLimit bytes kept of each output in a collected result; null for the default (1 MiB)
public record CommandRequest(
    List<String> argv,
    Map<String, String> environment,
    String workingDirectory,
    String user,
    byte @Nullable [] stdin,
    boolean openStdin,
    @Nullable Duration timeout,
    boolean keepRunning,
    @Nullable Integer outputLimit) {

  /// What fits into one message to the agent with room for everything else.
  private static final int MAXIMUM_TEXT = 48 * 1024;

  public CommandRequest {
    argv = List.copyOf(argv);
    environment = Map.copyOf(environment);
    if (argv.isEmpty() || argv.getFirst().isEmpty()) {
      throw invalid("a command needs a program", "command");
    }
    for (String word : argv) {
      if (word.indexOf('\0') >= 0) {
        throw invalid("an argument holds NUL", "args");
      }
    }
    checkEnvironment(environment);
    if (size(argv) + size(environment.keySet()) + size(environment.values()) > MAXIMUM_TEXT) {
      throw invalid("arguments and environment have at most 48 KiB in all", "args");
    }
    RunLimits.check(timeout, outputLimit);
  }

  /// With the defaults.
  public static CommandRequest of(String... argv) {
    return new CommandRequest(List.of(argv), Map.of(), "", "", null, false, null, false, null);
  }

  /// Whether it reads anything but end of file.
  boolean readsInput() {
    return openStdin || (stdin != null && stdin.length > 0);
  }

  private static void checkEnvironment(Map<String, String> environment) {
    environment.forEach((name, value) -> {
      if (name.isEmpty() || name.indexOf('=') >= 0 || (name + value).indexOf('\0') >= 0) {
        throw invalid("environment: a name is empty or holds '=', or there is a NUL", "env");
      }
    });
  }

  private static long size(Iterable<String> texts) {
    long size = 0;
    for (String text : texts) {
      size += text.getBytes(java.nio.charset.StandardCharsets.UTF_8).length;
    }
    return size;
  }

  private static SandboxException invalid(String message, String field) {
    return new SandboxException(ErrorCode.INVALID_REQUEST, message, Map.of("field", field));
  }
}
