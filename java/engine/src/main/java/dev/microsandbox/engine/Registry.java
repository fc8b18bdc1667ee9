package dev.microsandbox.engine;

import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxId;
import dev.microsandbox.model.SandboxSpec;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// All sandboxes of this server, by id and by name.
final class Registry {
  private static final System.Logger LOG = System.getLogger(Registry.class.getName());

  private final Map<SandboxId, Sandbox> byId = new HashMap<>();
  private final Map<Name, Sandbox> byName = new HashMap<>();
  private final int most;

  /// @param most sandboxes, running or not
  Registry(int most) {
    this.most = most;
  }

  private record Name(String owner, String namespace, String name) {
    static Name of(SandboxSpec spec) {
      return new Name(spec.owner(), spec.namespace(), spec.name().value());
    }
  }

  /// Takes a name; who has only that is found by it, but by no id and in no list.
  ///
  /// @return who has it already; null where it has been taken
  synchronized @Nullable Sandbox add(Sandbox sandbox) {
    SandboxRecord row = sandbox.record();
    Name name = Name.of(row.spec());
    Sandbox holder = byName.get(name);
    if (holder != null) {
      return holder;
    }
    if (byName.size() >= most) {
      throw new SandboxException(
          ErrorCode.TOO_MANY_SANDBOXES,
          "the server keeps its " + most + " sandboxes; delete stopped ones first");
    }
    byName.put(name, sandbox);
    return null;
  }

  /// Makes one that has its name known by its id, which is settled now.
  synchronized void identify(Sandbox sandbox) {
    byId.put(sandbox.record().id(), sandbox);
  }

  /// One that there was before this server.
  synchronized void restore(Sandbox sandbox) {
    var _ = add(sandbox);
    identify(sandbox);
  }

  synchronized void remove(Sandbox sandbox) {
    SandboxRecord row = sandbox.record();
    byId.remove(row.id(), sandbox);
    byName.remove(Name.of(row.spec()), sandbox);
  }

  /// A caller's sandbox. Another owner's does not exist.
  synchronized Sandbox find(Caller caller, SandboxRef ref) {
    Sandbox found = null;
    if (SandboxId.looksLike(ref.text())) {
      found = byId.get(new SandboxId(ref.text()));
    }
    if (found == null) {
      found = byName.get(new Name(caller.owner(), ref.namespace(), ref.text()));
    }
    if (found != null && !found.record().spec().owner().equals(caller.owner())) {
      // Told to the operator alone: ids cannot be guessed, so somebody has got hold of one.
      LOG.log(
          System.Logger.Level.WARNING,
          "{0} has asked for {1}, which belongs to another owner",
          caller.owner(),
          found.record().id());
      found = null;
    }
    if (found == null) {
      throw new SandboxException(
          ErrorCode.SANDBOX_NOT_FOUND, "no sandbox of this name or id; msb ps -a lists them");
    }
    return found;
  }

  synchronized List<Sandbox> all() {
    List<Sandbox> all = new ArrayList<>(byId.values());
    all.sort(Comparator.comparing((Sandbox sandbox) -> sandbox.record().createdAt()));
    return all;
  }

  /// With those that are only about to get their id.
  synchronized List<Sandbox> named() {
    return List.copyOf(byName.values());
  }

  synchronized int size() {
    return byName.size();
  }
}
