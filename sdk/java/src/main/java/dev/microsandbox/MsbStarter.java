package dev.microsandbox;

import java.io.File;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Starts the local server by `msb server start`, and says so.
final class MsbStarter {
  private static final System.Logger LOG = System.getLogger("dev.microsandbox");
  private static final int START_SECONDS = 60;
  private static final int SHOWN = 2_000;

  private final Map<String, String> environment;

  MsbStarter(Map<String, String> environment) {
    this.environment = environment;
  }

  void start() {
    String msb = findMsb(environment);
    if (msb == null) {
      throw new SandboxException(
          ErrorCode.SERVER_UNREACHABLE,
          "no server answers and the msb command is not on the PATH; start one with: msb server"
              + " start");
    }
    List<String> command = new ArrayList<>(isRoot() ? List.of() : List.of("sudo", "-n"));
    command.addAll(List.of(msb, "server", "start"));
    LOG.log(
        Level.INFO, "no server answers, starting the local one ({0})", String.join(" ", command));
    try {
      run(command, msb);
    } catch (IOException e) {
      throw failed(msb, String.valueOf(e.getMessage()), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException("the thread was interrupted while the local server started");
    }
  }

  private static void run(List<String> command, String msb)
      throws IOException, InterruptedException {
    // A file and not a pipe: a server in the background would hold the pipe open.
    Path said = Files.createTempFile("msb-server-start", ".log");
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectInput(new File("/dev/null"))
              .redirectOutput(said.toFile())
              .redirectErrorStream(true)
              .start();
      if (!process.waitFor(START_SECONDS, TimeUnit.SECONDS)) {
        process.destroy();
        throw failed(msb, "it takes longer than " + START_SECONDS + " s", null);
      }
      if (process.exitValue() != 0) {
        throw failed(msb, end(said), null);
      }
    } finally {
      Files.deleteIfExists(said);
    }
  }

  private static String end(Path said) throws IOException {
    String text = new String(Files.readAllBytes(said), StandardCharsets.UTF_8).strip();
    return text.substring(Math.max(0, text.length() - SHOWN));
  }

  private static SandboxException failed(String msb, String why, @Nullable Throwable cause) {
    return SandboxException.because(
        ErrorCode.SERVER_UNREACHABLE,
        "the local server could not be started; try: sudo " + msb + " server start\n" + why,
        cause);
  }

  /// Path of the `msb` command: `MSB_PATH`, the PATH, or the checkout that this class lies in.
  static @Nullable String findMsb(Map<String, String> environment) {
    String named = environment.getOrDefault("MSB_PATH", "");
    if (!named.isEmpty()) {
      return named;
    }
    for (String entry : environment.getOrDefault("PATH", "").split(File.pathSeparator)) {
      if (!entry.isEmpty() && isProgram(Path.of(entry, "msb"))) {
        return Path.of(entry, "msb").toString();
      }
    }
    for (Path folder = codeSource(); folder != null; folder = folder.getParent()) {
      if (isProgram(folder.resolve("msb")) && Files.exists(folder.resolve("spec/openapi.yaml"))) {
        return folder.resolve("msb").toString();
      }
    }
    return null;
  }

  private static @Nullable Path codeSource() {
    try {
      return Path.of(MsbStarter.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException | RuntimeException nowhere) {
      return null;
    }
  }

  private static boolean isProgram(Path path) {
    return Files.isRegularFile(path) && Files.isExecutable(path);
  }

  private static boolean isRoot() {
    try {
      return Integer.valueOf(0).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
    } catch (IOException | UnsupportedOperationException notLinux) {
      return false;
    }
  }
}
