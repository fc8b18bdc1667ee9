package dev.microsandbox.cli;

import dev.microsandbox.ErrorCode;
import dev.microsandbox.SandboxException;
import dev.microsandbox.Server;
import dev.microsandbox.ServerAddress;
import dev.microsandbox.ServerInfo;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// The server of this machine as a process: started with the jars beside this program's, reached by
/// its unix socket.
final class ServerProcess {
  private static final Duration START_LIMIT = Duration.ofSeconds(60);
  private static final Duration STOP_LIMIT = Duration.ofSeconds(40);
  private static final int POLL_MILLIS = 25;
  private static final int SHOWN_LINES = 15;
  private static final String SERVER_CLASS = "dev.microsandbox.app.Main";

  private final Map<String, String> environment;
  private final PrintStream err;

  ServerProcess(Map<String, String> environment, PrintStream err) {
    this.environment = environment;
    this.err = err;
  }

  /// @param arguments for the server's own command line
  record Options(List<String> arguments) {
    static final Options DEFAULT = new Options(List.of());
  }

  /// What the server says of itself, or nothing where none answers on the local socket.
  Optional<ServerInfo> info() {
    try {
      return Optional.of(server().info());
    } catch (SandboxException e) {
      if (e.code() == ErrorCode.SERVER_UNREACHABLE) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /// Starts it in the background and returns when it answers.
  ServerInfo start(Options options) {
    Path log = newLog();
    try {
      Process process = spawn(options, log);
      return awaitAnswer(process, log);
    } catch (IOException e) {
      throw new UncheckedIOException("the server could not be started", e);
    } finally {
      delete(log);
    }
  }

  /// Runs it in the foreground until it ends; gives its exit code.
  int runInForeground(Options options) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command(options)).inheritIO().start();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> endWith(process)));
    return process.waitFor();
  }

  /// Ends it and returns when its process is gone; false where none answered.
  ///
  /// @param keepSandboxes whether they go on, for the next server
  boolean stop(boolean keepSandboxes) {
    Optional<ServerInfo> running = info();
    if (running.isEmpty()) {
      return false;
    }
    // The socket is closed first, the sandboxes end after that: only the process tells when all is
    // done.
    Optional<ProcessHandle> process = ProcessHandle.of(running.get().pid());
    server().administration().shutdown(keepSandboxes);
    process.map(ProcessHandle::onExit).ifPresent(ServerProcess::await);
    return true;
  }

  private static void await(CompletableFuture<ProcessHandle> exit) {
    try {
      exit.get(STOP_LIMIT.toSeconds(), TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new SandboxException(
          ErrorCode.TIMED_OUT,
          "the server has not ended within " + STOP_LIMIT.toSeconds() + " s; see its log");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  private Server server() {
    String url = environment.getOrDefault("MSB_SERVER_URL", "");
    Path socket = url.isEmpty() ? null : ServerAddress.parse(url, null).socket();
    return Server.of(ServerAddress.of(socket == null ? ServerAddress.DEFAULT_SOCKET : socket));
  }

  private Process spawn(Options options, Path log) throws IOException {
    List<String> command = new ArrayList<>(List.of("setsid"));
    command.addAll(command(options));
    return new ProcessBuilder(command)
        .redirectInput(new File("/dev/null"))
        .redirectOutput(log.toFile())
        .redirectErrorStream(true)
        .start();
  }

  private List<String> command(Options options) {
    List<String> command = new ArrayList<>();
    if (!isRoot()) {
      command.addAll(List.of("sudo", "-n", "--preserve-env=MICROSANDBOX_HOME,MSB_INSTALL"));
    }
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(JavaOptions.forServer(install()));
    command.addAll(List.of("-cp", classPath(System.getProperty("java.class.path")), SERVER_CLASS));
    command.addAll(options.arguments());
    return command;
  }

  /// All jars of the folder in which this program's is; of a program that is run from classes, its
  /// own class path.
  static String classPath(String own) {
    return own.endsWith(".jar") && !own.contains(File.pathSeparator)
        ? Path.of(own).toAbsolutePath().resolveSibling("*").toString()
        : own;
  }

  private @Nullable Path install() {
    String install = environment.get("MSB_INSTALL");
    return install == null ? null : Path.of(install);
  }

  static boolean isRoot() {
    try {
      return (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid") == 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private ServerInfo awaitAnswer(Process process, Path log) throws IOException {
    long begin = System.nanoTime();
    boolean said = false;
    while (System.nanoTime() - begin < START_LIMIT.toNanos()) {
      Optional<ServerInfo> info = info();
      if (info.isPresent()) {
        return info.get();
      }
      if (!process.isAlive()) {
        throw failed("the server ended at once", log);
      }
      if (!said && System.nanoTime() - begin > 2_000_000_000L) {
        err.println("msb: waiting for the server to answer");
        said = true;
      }
      pause();
    }
    process.destroy();
    throw failed("the server does not answer after " + START_LIMIT.toSeconds() + " s", log);
  }

  private static SandboxException failed(String what, Path log) throws IOException {
    List<String> lines = Files.readAllLines(log);
    String end =
        String.join("\n  ", lines.subList(Math.max(0, lines.size() - SHOWN_LINES), lines.size()));
    boolean sudo = end.contains("sudo:");
    String remedy = sudo ? "; the server needs root, so run: sudo msb server start" : "";
    return new SandboxException(
        sudo ? ErrorCode.NOT_ROOT : ErrorCode.SERVER_UNREACHABLE, what + remedy + "\n  " + end);
  }

  private static Path newLog() {
    try {
      return Files.createTempFile("msb-server-start", ".log");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void delete(Path log) {
    try {
      Files.deleteIfExists(log);
    } catch (IOException _) {
      // a leftover in the temporary folder harms nobody
    }
  }

  private static void endWith(Process process) {
    process.destroy();
    try {
      process.waitFor();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private static void pause() {
    try {
      Thread.sleep(POLL_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }
}
