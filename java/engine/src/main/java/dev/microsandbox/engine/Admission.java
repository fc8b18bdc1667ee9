package dev.microsandbox.engine;

import dev.microsandbox.model.ByteSize;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.Limits;
import dev.microsandbox.model.SandboxException;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Counts what runs, so that a limit of N lets exactly N through however many ask at once.
final class Admission {
  private final EngineSettings settings;
  private final Map<String, Integer> byOwner = new HashMap<>();
  private int running;
  private int pooled;
  private long memory;
  private long pooledMemory;
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

  /// What a sandbox that nobody has claimed takes of the limits, until it is closed. It gives way
  /// to those that are asked for.
  final class Place implements AutoCloseable {
    private final ByteSize share;
    private boolean returned;

    private Place(ByteSize share) {
      this.share = share;
    }

    @Override
    public void close() {
      synchronized (Admission.this) {
        if (!returned) {
          returned = true;
          pooled--;
          pooledMemory -= share.bytes();
        }
      }
    }
  }

  /// Null where the limits leave no room for one that nobody has asked for.
  ///
  /// @param stored sandboxes that the server knows, running or not
  synchronized @Nullable Place reserve(Limits limits, int stored) {
    if (closed || !fits(1, limits.memory().bytes(), stored)) {
      return null;
    }
    pooled++;
    pooledMemory += limits.memory().bytes();
    return new Place(limits.memory());
  }

  /// Whether unclaimed ones stand in the way of those that were asked for.
  synchronized boolean isOverfull(int stored) {
    return pooled > 0 && !fits(0, 0, stored);
  }

  private boolean fits(int more, long moreMemory, int stored) {
    long bound = settings.maxMemory().bytes();
    return running + pooled + more <= settings.maxSandboxes()
        && stored + pooled + more <= Math.min(settings.maxStoredSandboxes(), settings.idRanges())
        && (bound == 0 || memory + pooledMemory + moreMemory <= bound);
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
