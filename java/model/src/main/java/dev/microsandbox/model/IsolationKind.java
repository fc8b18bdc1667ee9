package dev.microsandbox.model;

import java.util.Locale;

/// How a sandbox is kept apart from the host.
public enum IsolationKind {
  /// Namespaces, cgroups and seccomp, by an OCI runtime, on the host's kernel.
  CONTAINER,
  /// A kernel of its own in user space (runsc).
  GVISOR,
  /// A virtual machine (QEMU).
  MICROVM;

  public String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
