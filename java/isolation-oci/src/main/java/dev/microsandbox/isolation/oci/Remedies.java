package dev.microsandbox.isolation.oci;

import java.util.LinkedHashMap;
import java.util.Map;

/// What helps against what a failed launch said.
final class Remedies {
  private static final Map<String, String> BY_WORD = new LinkedHashMap<>();

  static {
    BY_WORD.put("no such program: mkfs.erofs", "apt-get install erofs-utils");
    BY_WORD.put("no such program: mkfs.ext4", "apt-get install e2fsprogs");
    BY_WORD.put("no such program: unshare", "apt-get install util-linux");
    BY_WORD.put("user namespace", "sysctl user.max_user_namespaces=65536");
    BY_WORD.put("erofs", "modprobe erofs; images are EROFS files");
    BY_WORD.put("loop", "modprobe loop");
    BY_WORD.put("ids", "a kernel of 5.19 or later: layers are mounted with shifted ids");
    BY_WORD.put("overlay", "modprobe overlay");
    BY_WORD.put("hybrid mode", "apt-get install runc, or boot with one cgroup hierarchy");
    BY_WORD.put("cgroup", "run the server outside of any container, as root");
    BY_WORD.put("in time", "see the log; the runtime hangs");
  }

  private Remedies() {}

  static String of(String reason) {
    return BY_WORD.entrySet().stream()
        .filter(entry -> reason.contains(entry.getKey()))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElse("start the server with debug logging and see its log");
  }
}
