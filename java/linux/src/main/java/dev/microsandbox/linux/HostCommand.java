package dev.microsandbox.linux;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A program of the host, to be run to its end: no shell, no leaked descriptors, bounded time and
/// bounded captured output.
///
/// @param command the program (a path, or a name to look up) and its arguments
/// @param environment the whole of it
/// @param directory to run in; null for the server's own
/// @param input written to its standard input, then closed
/// @param deadline after which it is killed with its whole process group
/// @param captureLimit bytes kept of each of its two outputs; the first half of what is more is
///   kept and its end, with a mark between
/// @param lines called with every line of both outputs as it comes, by one thread at a time; null
///   for nobody
/// @param silent whether its standard streams are /dev/null instead of pipes to here: for programs
///   whose children inherit them and live on
public record HostCommand(
    List<String> command,
    Map<String, String> environment,
    @Nullable Path directory,
    byte[] input,
    Duration deadline,
    int captureLimit,
    @Nullable Consumer<String> lines,
    boolean silent) {

  private static final Duration DEFAULT_DEADLINE = Duration.ofMinutes(1);
  private static final int DEFAULT_CAPTURE = 1 << 20;

  /// Where system programs are, even where the server's own PATH leaves them out.
  private static final String SYSTEM_PATH =
      "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  public HostCommand {
    command = List.copyOf(command);
    environment = Map.copyOf(environment);
    if (command.isEmpty()) {
      throw new IllegalArgumentException("no program");
    }
    for (String word : command) {
      if (word.indexOf('\0') >= 0) {
        throw new IllegalArgumentException("an argument holds a NUL character");
      }
    }
  }

  /// With the server's environment, no input, and a minute of time.
  public static HostCommand of(String... command) {
    return of(List.of(command));
  }

  /// With the server's environment, no input, and a minute of time.
  public static HostCommand of(List<String> command) {
    return new HostCommand(
        command,
        System.getenv(),
        null,
        new byte[0],
        DEFAULT_DEADLINE,
        DEFAULT_CAPTURE,
        null,
        false);
  }

  /// With this environment and nothing else.
  public HostCommand withEnvironment(Map<String, String> whole) {
    return new HostCommand(command, whole, directory, input, deadline, captureLimit, lines, silent);
  }

  /// With one variable more, or another value.
  public HostCommand withVariable(String name, String value) {
    Map<String, String> changed = new TreeMap<>(environment);
    changed.put(name, value);
    return withEnvironment(changed);
  }

  public HostCommand withArguments(List<String> more) {
    List<String> longer = new ArrayList<>(command);
    longer.addAll(more);
    return new HostCommand(
        longer, environment, directory, input, deadline, captureLimit, lines, silent);
  }

  public HostCommand withDirectory(Path path) {
    return new HostCommand(
        command, environment, path, input, deadline, captureLimit, lines, silent);
  }

  public HostCommand withInput(byte[] bytes) {
    return new HostCommand(
        command, environment, directory, bytes, deadline, captureLimit, lines, silent);
  }

  public HostCommand withDeadline(Duration limit) {
    return new HostCommand(
        command, environment, directory, input, limit, captureLimit, lines, silent);
  }

  public HostCommand withCaptureLimit(int bytes) {
    return new HostCommand(command, environment, directory, input, deadline, bytes, lines, silent);
  }

  public HostCommand onLine(Consumer<String> listener) {
    return new HostCommand(
        command, environment, directory, input, deadline, captureLimit, listener, silent);
  }

  /// With /dev/null for its standard streams.
  public HostCommand withoutStreams() {
    return new HostCommand(
        command, environment, directory, input, deadline, captureLimit, lines, true);
  }

  /// Runs it and waits for its end. A virtual thread may call this: the waiting is done elsewhere.
  ///
  /// @throws LinuxException when it cannot be started (no such program, not executable, …)
  /// @throws InterruptedException when the caller is interrupted; the program has been killed then
  public CommandResult run() throws LinuxException, InterruptedException {
    return run(ChildProcess::start);
  }

  CommandResult run(Starter starter) throws LinuxException, InterruptedException {
    return new CommandRun(this, program(), starter).run();
  }

  /// Who starts the process, which decides the mount namespace that it runs in.
  interface Starter {
    ChildProcess start(Spawn.Plan plan) throws LinuxException, InterruptedException;
  }

  /// Where the program is, or null.
  public static @Nullable Path find(String name) {
    if (name.contains("/")) {
      Path path = Path.of(name).toAbsolutePath();
      return Files.isExecutable(path) ? path : null;
    }
    String own = System.getenv().getOrDefault("PATH", "");
    for (String folder : (own + ":" + SYSTEM_PATH).split(":", -1)) {
      Path path = Path.of(folder).resolve(name);
      if (path.isAbsolute() && Files.isRegularFile(path) && Files.isExecutable(path)) {
        return path;
      }
    }
    return null;
  }

  private Path program() throws LinuxException {
    Path found = find(command.getFirst());
    if (found == null) {
      throw new LinuxException("no such program: " + command.getFirst(), Errno.ENOENT);
    }
    return found;
  }

  @Override
  public String toString() {
    return String.join(" ", command);
  }
}
