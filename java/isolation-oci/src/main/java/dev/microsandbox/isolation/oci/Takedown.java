package dev.microsandbox.isolation.oci;

import dev.microsandbox.linux.Cgroup;
import dev.microsandbox.linux.Cgroups;
import dev.microsandbox.linux.LayerDevices;
import dev.microsandbox.linux.ProcessTable;
import dev.microsandbox.linux.SandboxMounts;
import dev.microsandbox.linux.Trees;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxId;
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/// Ends a sandbox and removes what it has on the host, from its id alone and without asking the
/// runtime or the agent: a hanging one of either cannot hold this up.
final class Takedown {
  private static final Duration KILL = Duration.ofSeconds(5);
  private static final Duration REMOVE = Duration.ofSeconds(5);

  private final Places places;
  private final Cgroups cgroups;
  private final SandboxMounts mounts;
  private final LayerDevices devices;

  Takedown(Places places, Cgroups cgroups, SandboxMounts mounts, LayerDevices devices) {
    this.places = places;
    this.cgroups = cgroups;
    this.mounts = mounts;
    this.devices = devices;
  }

  /// Returns when nothing is left but the disk, whatever a launch came to. Harmless where there is
  /// nothing.
  ///
  /// @throws SandboxException where the kernel does not let go in time
  void remove(SandboxId id) {
    try {
      // A runtime that is still making the container; first, lest it go on in the meantime.
      // Known by a path that only a runtime is given: the id alone may stand in a user's command.
      ProcessTable.killThoseWithArgument(Runtime.state(mounts, id).toString());
    } catch (IOException e) {
      throw failed(id, e);
    }
    end(id);
  }

  /// The same for a container whose launch is over: no runtime is at work, and the search for one
  /// among all processes of a host with a thousand sandboxes would take longer than all the rest.
  void end(SandboxId id) {
    try {
      cgroups.find(id).ifPresent(cgroup -> empty(id, cgroup));
      mounts.detach(id);
      awaitDisk(id);
      Trees.delete(places.channel(id));
    } catch (IOException e) {
      throw failed(id, e);
    }
  }

  private static void empty(SandboxId id, Cgroup cgroup) {
    try {
      if (!cgroup.killAll(KILL)) {
        throw failed(id, new IOException("processes do not end: " + cgroup.processes()));
      }
      if (!cgroup.remove(REMOVE)) {
        throw failed(id, new IOException("its control group cannot be removed"));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw failed(id, e);
    }
  }

  private void awaitDisk(SandboxId id) throws IOException {
    try {
      if (!devices.awaitUnused(places.layer(id), REMOVE)) {
        throw new IOException("its disk is still mounted somewhere");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  void removeDisk(SandboxId id) {
    try {
      Trees.delete(places.disk(id));
    } catch (IOException e) {
      throw failed(id, e);
    }
  }

  Set<SandboxId> leftovers() {
    try {
      Set<SandboxId> ids = new HashSet<>(places.sandboxes());
      ids.addAll(cgroups.list());
      return ids;
    } catch (IOException e) {
      throw new SandboxException(ErrorCode.INTERNAL, "leftovers cannot be listed", Map.of(), e);
    }
  }

  private static SandboxException failed(SandboxId id, Exception cause) {
    return new SandboxException(
        ErrorCode.INTERNAL, "sandbox " + id + " cannot be taken down", Map.of(), cause);
  }
}
