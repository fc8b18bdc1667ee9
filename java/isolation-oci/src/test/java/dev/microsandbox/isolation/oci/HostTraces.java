package dev.microsandbox.isolation.oci;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// Looks all over the host for what a sandbox might have left, by a text that is in all its names:
/// its id, or its home.
final class HostTraces {
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
        if (read(process.resolve("cgroup")).contains(text)) {
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
    try (Stream<Path> groups =
        Files.find(
            Path.of("/sys/fs/cgroup"),
            6,
            (path, _) -> path.getFileName().toString().contains(text),
            new FileVisitOption[0])) {
      groups.forEach(group -> traces.add("control group " + group));
    }
    return traces;
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
