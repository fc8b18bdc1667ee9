package dev.microsandbox.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The processes of the host.
public final class ProcessTable {
  private static final int SIGKILL = 9;

  private ProcessTable() {}

  /// Kills host processes that have this text as one whole argument, each with the process group
  /// that it leads. The text must be such that nobody but who started them uses it. Those inside
  /// sandboxes are not looked at, whatever they call themselves.
  ///
  /// @return how many were killed
  public static int killThoseWithArgument(String argument) throws IOException {
    int killed = 0;
    for (int pid : withArgument(argument)) {
      Kernel.attempt(Syscall.KILL, -pid, SIGKILL);
      Kernel.attempt(Syscall.KILL, pid, SIGKILL);
      killed++;
    }
    return killed;
  }

  /// Processes of the host's own user namespace whose arguments include this one.
  static List<Integer> withArgument(String argument) throws IOException {
    List<Integer> found = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      for (Path process : all) {
        if (hasArgument(process, argument) && isOfTheHost(process)) {
          found.add(Integer.valueOf(process.getFileName().toString()));
        }
      }
    }
    return found;
  }

  private static boolean hasArgument(Path process, String argument) {
    try {
      String line = new String(readSome(process.resolve("cmdline")), StandardCharsets.UTF_8);
      return List.of(line.split("\0")).contains(argument);
    } catch (IOException e) {
      return false; // it has ended meanwhile
    }
  }

  private static byte[] readSome(Path file) throws IOException {
    try (var in = Files.newInputStream(file)) {
      return in.readNBytes(64 * 1024);
    }
  }

  private static boolean isOfTheHost(Path process) {
    try {
      Path own = Files.readSymbolicLink(Path.of("/proc/self/ns/user"));
      return Files.readSymbolicLink(process.resolve("ns/user")).equals(own);
    } catch (IOException e) {
      return false;
    }
  }
}
