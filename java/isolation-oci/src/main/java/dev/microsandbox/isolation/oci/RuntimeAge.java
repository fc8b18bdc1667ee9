package dev.microsandbox.isolation.oci;

import dev.microsandbox.linux.CommandResult;
import dev.microsandbox.linux.HostCommand;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Whether a runtime has holes that are known and mended elsewhere.
///
/// A distribution mends old versions under their old number, so that for a packaged runtime only
/// the distribution knows: what is installed is compared with what it offers. A runtime from
/// elsewhere is compared with the versions in which its makers mended it.
final class RuntimeAge {
  private static final Duration QUESTION = Duration.ofSeconds(10);
  private static final Pattern VERSION = Pattern.compile("(\\d+)\\.(\\d+)(?:\\.(\\d+))?");
  private static final Pattern INSTALLED = Pattern.compile("(?m)^\\s*Installed: (\\S+)$");
  private static final Pattern CANDIDATE = Pattern.compile("(?m)^\\s*Candidate: (\\S+)$");

  /// The oldest mended version of each line: CVE-2026-41579 for runc, CVE-2026-30892 for crun.
  private static final List<int[]> RUNC =
      List.of(new int[] {1, 3, 6}, new int[] {1, 4, 3}, new int[] {1, 5, 0});

  private static final List<int[]> CRUN = List.of(new int[] {1, 27, 0});

  private RuntimeAge() {}

  /// What is known against a runtime.
  ///
  /// @param seen what is wrong with it
  record Complaint(String seen, String remedy) {}

  /// Null where nothing is known against it.
  static @Nullable Complaint complaint(Runtime runtime) throws InterruptedException {
    String owner = packageOf(runtime.program());
    return owner == null ? against(runtime) : againstPackage(owner);
  }

  private static @Nullable Complaint againstPackage(String owner) throws InterruptedException {
    String policy = output("apt-cache", "policy", owner);
    String installed = first(INSTALLED, policy);
    String candidate = first(CANDIDATE, policy);
    if (installed == null || candidate == null || installed.equals(candidate)) {
      return null;
    }
    return new Complaint(
        "version " + installed + " is installed, the distribution has " + candidate,
        "apt-get install --only-upgrade " + owner);
  }

  private static @Nullable Complaint against(Runtime runtime) {
    int[] version = version(runtime.version());
    String name = String.valueOf(runtime.program().getFileName());
    List<int[]> mended = name.contains("crun") ? CRUN : RUNC;
    if (version == null || isMended(version, mended)) {
      return null;
    }
    return new Complaint(
        runtime.version() + " has known security holes", "install " + name + " " + text(mended));
  }

  /// In its own line of versions, or later than all lines that are known.
  static boolean isMended(int[] version, List<int[]> mended) {
    for (int[] least : mended) {
      if (least[0] == version[0] && least[1] == version[1]) {
        return Arrays.compare(version, least) >= 0;
      }
    }
    return Arrays.compare(version, mended.getLast()) > 0;
  }

  static int @Nullable [] version(String text) {
    Matcher matcher = VERSION.matcher(text);
    if (!matcher.find()) {
      return null;
    }
    String third = matcher.group(3);
    return new int[] {
      Integer.parseInt(matcher.group(1)),
      Integer.parseInt(matcher.group(2)),
      third == null ? 0 : Integer.parseInt(third)
    };
  }

  private static String text(List<int[]> versions) {
    List<String> texts = new ArrayList<>();
    for (int[] version : versions) {
      texts.add(version[0] + "." + version[1] + "." + version[2]);
    }
    return String.join(", ", texts) + " or later";
  }

  private static @Nullable String packageOf(Path program) throws InterruptedException {
    String answer = output("dpkg-query", "--search", program.toString());
    int colon = answer.indexOf(':');
    return colon > 0 ? answer.substring(0, colon) : null;
  }

  private static @Nullable String first(Pattern pattern, String text) {
    Matcher matcher = pattern.matcher(text);
    return matcher.find() ? matcher.group(1) : null;
  }

  /// Empty where the program is missing or fails.
  private static String output(String... command) throws InterruptedException {
    try {
      CommandResult result =
          HostCommand.of(command).withVariable("LC_ALL", "C").withDeadline(QUESTION).run();
      return result.succeeded() ? result.output() : "";
    } catch (IOException e) {
      return "";
    }
  }
}
