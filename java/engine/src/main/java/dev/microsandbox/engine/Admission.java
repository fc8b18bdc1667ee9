package dev.microsandbox.engine;

import dev.microsandbox.model.ByteSize;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.Limits;
import dev.microsandbox.model.SandboxException;
import java.util.HashMap;
import java.util.Map;

/// Counts what runs, so that a limit of N lets exactly N through however many ask at once.
final class Admission {
  private final EngineSettings settings;
  private final Map<String, Integer> byOwner = new HashMap<>();
  private int running;
  private long memory;
  private boolean closed;

  Admission(EngineSettings settings) {
    this.settings = settings;
  }

  /// The right to run one sandbox, until it is closed.
  final class Permit implements AutoCloseable {
    private final String owner;
    private final ByteSize share;
    private boolean returned;

    private Permit(String owner, ByteSize share) {
      this.owner = owner;
      this.share = share;
    }

    @Override
    public void close() {
      synchronized (Admission.this) {
        if (!returned) {
          returned = true;
          running--;
          memory -= share.bytes();
          byOwner.merge(owner, -1, (count, change) -> count + change == 0 ? null : count + change);
        }
      }
    }
  }

  synchronized Permit admit(String owner, Limits limits) {
    if (closed) {
      throw new SandboxException(ErrorCode.SHUTTING_DOWN, "the server is stopping");
    }
    if (running >= settings.maxSandboxes()) {
      throw full("the server runs its " + settings.maxSandboxes() + " sandboxes; stop one first");
    }
    if (byOwner.getOrDefault(owner, 0) >= settings.maxSandboxesPerOwner()) {
      throw full(
          "your " + settings.maxSandboxesPerOwner() + " sandboxes are running; stop one first");
    }
    long needed = memory + limits.memory().bytes();
    if (settings.maxMemory().bytes() > 0 && needed > settings.maxMemory().bytes()) {
      throw new SandboxException(
          ErrorCode.OUT_OF_MEMORY,
          "the memory that the server has for sandboxes is given out; stop one, or ask for less");
    }
    return readmit(owner, limits);
  }

  /// The right of one that runs already, whatever the limits are now.
  synchronized Permit readmit(String owner, Limits limits) {
    running++;
    memory += limits.memory().bytes();
    byOwner.merge(owner, 1, Integer::sum);
    return new Permit(owner, limits.memory());
  }

  synchronized int running() {
    return running;
  }

  /// Lets nobody through any more.
  synchronized void close() {
    closed = true;
  }

  synchronized boolean isClosed() {
    return closed;
  }

  private static SandboxException full(String message) {
    return new SandboxException(ErrorCode.TOO_MANY_SANDBOXES, message);
  }
}
