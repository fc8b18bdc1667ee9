package dev.microsandbox.model;

import java.util.Locale;

/// Why a sandbox's processes are no longer there.
public enum EndReason {
  /// A caller stopped or deleted it.
  STOPPED,
  /// It was unused for longer than its idle limit.
  IDLE,
  /// Its time to live was over.
  EXPIRED,
  /// Its first process was killed for want of memory.
  OUT_OF_MEMORY,
  /// Its first process ended by itself or was killed.
  EXITED,
  /// Its agent was gone or broke the protocol, so the host ended it.
  AGENT_LOST,
  /// The server stopped, and was told to end its sandboxes.
  SERVER_STOPPED,
  /// The machine was started anew.
  HOST_RESTARTED;

  public String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
