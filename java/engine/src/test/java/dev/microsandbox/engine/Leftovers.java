package dev.microsandbox.engine;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.microsandbox.model.SandboxId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// What there is of a sandbox on this host, by looking: processes, mounts in any process's
/// namespace, control groups, files of the home.
final class Leftovers {
  private Leftovers() {}

  static List<String> of(SandboxId id, Path home) {
    List<String> found = new ArrayList<>();
    for (Path process : processes()) {
      if (groups(process).contains(id.value())) {
        found.add("process " + process.getFileName() + " " + read(process.resolve("comm")).strip());
      }
      read(process.resolve("mountinfo"))
          .lines()
          .filter(line -> line.contains(id.value()))
          .forEach(line -> found.add("mount " + line));
    }
    walk(Path.of("/sys/fs/cgroup"), path -> named(path, id)).forEach(p -> found.add("group " + p));
    walk(home, path -> named(path, id)).forEach(p -> found.add("file " + p));
    return found;
  }

  /// The sandboxes of which there is a file in the home, or a control group of this home's.
  static Set<SandboxId> ids(Path home) {
    Set<SandboxId> ids = new HashSet<>();
    for (Path path : walk(home, path -> true)) {
      addId(path, ids);
    }
    for (Path path :
        walk(Path.of("/sys/fs/cgroup"), path -> path.toString().contains(group(home)))) {
      addId(path, ids);
    }
    return ids;
  }

  private static void addId(Path path, Set<SandboxId> ids) {
    Path name = path.getFileName();
    if (name != null && SandboxId.looksLike(name.toString())) {
      ids.add(new SandboxId(name.toString()));
    }
  }

  /// As the container driver names it: a function of the home.
  private static String group(Path home) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(home.toString().getBytes(UTF_8));
      return "/microsandbox/" + HexFormat.of().formatHex(digest).substring(0, 8) + "/";
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /// The sandbox's first process, as the host numbers it.
  static long firstProcess(SandboxId id) {
    for (Path process : processes()) {
      String status = read(process.resolve("status"));
      boolean first =
          status.lines().anyMatch(line -> line.startsWith("NSpid:") && line.endsWith("\t1"));
      if (first && groups(process).contains(id.value())) {
        return Long.parseLong(process.getFileName().toString());
      }
    }
    throw new AssertionError("no first process of " + id);
  }

  /// One of its processes, by a text in its arguments, as the host numbers it.
  static long process(SandboxId id, String argument) {
    for (Path process : processes()) {
      if (read(process.resolve("cmdline")).contains(argument)
          && groups(process).contains(id.value())) {
        return Long.parseLong(process.getFileName().toString());
      }
    }
    throw new AssertionError("no process of " + id + " with " + argument);
  }

  private static boolean named(Path path, SandboxId id) {
    Path name = path.getFileName();
    return name != null && name.toString().contains(id.value());
  }

  private static List<Path> processes() {
    try (Stream<Path> entries = Files.list(Path.of("/proc"))) {
      return entries.filter(entry -> entry.getFileName().toString().matches("\\d+")).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<Path> walk(Path root, Predicate<Path> wanted) {
    try (Stream<Path> all = Files.walk(root)) {
      return all.filter(wanted).toList();
    } catch (IOException | UncheckedIOException e) {
      return List.of(root.resolve("changed while it was looked through: " + e.getMessage()));
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

  /// Empty where the process has gone.
  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException _) {
      return "";
    }
  }
}
