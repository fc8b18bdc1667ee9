package dev.microsandbox.isolation.oci;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Looks all over the host for what a sandbox might have left, by a text that is in all its names:
/// its id, or its home.
final class HostTraces {
  private static final int GROUP_DEPTH = 6;

  private HostTraces() {}

  /// Processes, mounts of any namespace, loop devices, control groups. Files are the caller's.
  static List<String> of(String text) throws IOException {
    List<String> traces = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      for (Path process : all) {
        if (read(process.resolve("cmdline")).contains(text)
            && !process.getFileName().toString().equals(ownPid())) {
          traces.add("process " + process.getFileName());
        }
        if (groups(process).contains(text)) {
          traces.add("process in a group " + process.getFileName());
        }
        if (read(process.resolve("mountinfo")).contains(text)) {
          traces.add("mount of process " + process.getFileName());
        }
      }
    }
    try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/sys/block"), "loop*")) {
      for (Path device : all) {
        if (read(device.resolve("loop/backing_file")).contains(text)) {
          traces.add("loop device " + device.getFileName());
        }
      }
    }
    Files.walkFileTree(Path.of("/sys/fs/cgroup"), Set.of(), GROUP_DEPTH, new Groups(text, traces));
    return traces;
  }

  /// Other servers of the host make and remove groups at the same time: what is gone by the time
  /// that it is looked at is none of ours.
  private static final class Groups extends SimpleFileVisitor<Path> {
    private final String text;
    private final List<String> traces;

    Groups(String text, List<String> traces) {
      this.text = text;
      this.traces = traces;
    }

    @Override
    public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
      if (folder.getFileName().toString().contains(text)) {
        traces.add("control group " + folder);
      }
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException e) {
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException e) {
      return FileVisitResult.CONTINUE;
    }
  }

  /// Those that there are: a process that has ended and that nobody has asked for yet keeps, in the
  /// unified tree, the name of a group that has gone.
  private static String groups(Path process) {
    return read(process.resolve("cgroup"))
        .lines()
        .filter(line -> !line.endsWith(" (deleted)"))
        .collect(Collectors.joining("\n"));
  }

  private static String ownPid() {
    return Long.toString(ProcessHandle.current().pid());
  }

  private static String read(Path file) {
    try {
      return Files.readString(file, java.nio.charset.StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return "";
    }
  }
}
