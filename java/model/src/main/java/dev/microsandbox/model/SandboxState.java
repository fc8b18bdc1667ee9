package dev.microsandbox.model;

import java.util.Locale;

/// Where a sandbox stands in its life.
public enum SandboxState {
  STARTING,
  RUNNING,
  STOPPING,
  STOPPED,
  DELETING;

  public String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
