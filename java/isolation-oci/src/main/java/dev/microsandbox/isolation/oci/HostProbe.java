package dev.microsandbox.isolation.oci;

import dev.microsandbox.isolation.IdRange;
import dev.microsandbox.isolation.LaunchSpec;
import dev.microsandbox.isolation.ProbeReport;
import dev.microsandbox.isolation.ProbeReport.Feature;
import dev.microsandbox.isolation.ProbeReport.Finding;
import dev.microsandbox.linux.Cgroups;
import dev.microsandbox.linux.HostCommand;
import dev.microsandbox.linux.HostDevices;
import dev.microsandbox.model.ByteSize;
import dev.microsandbox.model.Limits;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.model.SandboxId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Finds out what this host can do, by doing it: for each runtime a whole small sandbox is launched
/// and taken down, until one works.
final class HostProbe {
  private static final List<String> RUNTIMES = List.of("crun", "runc");
  private static final Limits SMALL = new Limits(ByteSize.ofMib(64), 1, 16, ByteSize.ofMib(16));

  /// Below the block that sandboxes are given their ranges from.
  private static final IdRange IDS = new IdRange(2 * IdRange.SIZE);

  private final ContainerSettings settings;
  private final Launch launch;
  private final List<Finding> findings = new ArrayList<>();

  /// How a trial sandbox is launched; it is taken down again by the probe.
  interface Launch {
    Container start(LaunchSpec spec, Runtime runtime);

    void remove(SandboxId id);

    /// An image with nothing in it.
    Path image() throws IOException, InterruptedException;
  }

  /// @param runtime the one to use; null where none works
  record Answer(@Nullable Runtime runtime, ProbeReport report) {}

  HostProbe(ContainerSettings settings, Launch launch) {
    this.settings = settings;
    this.launch = launch;
  }

  Answer run(Cgroups cgroups) {
    note("control groups", cgroups.describe());
    probeHome();
    boolean tun = probeTun();
    Runtime runtime = firstThatWorks(tun);
    Set<Feature> features = EnumSet.of(Feature.DISK_QUOTA);
    if (cgroups.canFreeze()) {
      features.add(Feature.PAUSE);
    }
    if (tun) {
      features.add(Feature.EGRESS_CAPTURE);
    }
    String version = runtime == null ? "" : runtime.version();
    return new Answer(runtime, new ProbeReport(runtime != null, version, features, findings));
  }

  /// A sandbox's mapped root is nobody on the host and walks through the home's folders to its
  /// mounts.
  private void probeHome() {
    for (Path folder = settings.home().toAbsolutePath();
        folder != null;
        folder = folder.getParent()) {
      try {
        if (!Files.getPosixFilePermissions(folder).contains(PosixFilePermission.OTHERS_EXECUTE)) {
          complain(
              "home folder",
              folder + " cannot be passed by other users",
              "chmod o+x " + folder + ", or choose a home elsewhere (MICROSANDBOX_HOME)");
        }
      } catch (IOException | UnsupportedOperationException e) {
        complain("home folder", folder + " cannot be looked at: " + e, "");
      }
    }
  }

  private boolean probeTun() {
    String missing = HostDevices.missingTun();
    if (missing == null) {
      note("outbound connections", "/dev/net/tun can be opened");
      return true;
    }
    complain("outbound connections", missing, "modprobe tun; sandboxes have no network without it");
    return false;
  }

  private @Nullable Runtime firstThatWorks(boolean tun) {
    String chosen = settings.runtime();
    List<String> names = chosen == null ? RUNTIMES : List.of(chosen);
    Runtime works = null;
    boolean found = false;
    for (String name : names) {
      Path program = HostCommand.find(name);
      found |= program != null;
      if (program != null && works == null) {
        works = trial(name, program, tun);
      } else if (program != null) {
        note("runtime " + name, "installed, not needed");
      }
    }
    if (!found) {
      complain(
          "container runtime", "none of " + names + " is installed", "apt-get install crun runc");
    }
    return works;
  }

  private @Nullable Runtime trial(String name, Path program, boolean tun) {
    String subject = "runtime " + name;
    try {
      Runtime runtime = Runtime.ask(program, settings.startLimit());
      RuntimeAge.Complaint complaint = RuntimeAge.complaint(runtime);
      if (complaint != null) {
        complain(subject, complaint.seen(), complaint.remedy());
        if (settings.strictRuntime()) {
          return null;
        }
      }
      launchOnce(runtime, tun);
      note(subject, runtime.version() + " launched a sandbox");
      return runtime;
    } catch (SandboxException e) {
      complain(subject, reason(e), Remedies.of(reason(e)));
    } catch (IOException e) {
      complain(subject, reason(e), Remedies.of(reason(e)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      complain(subject, "the probe was interrupted", "");
    }
    return null;
  }

  private void launchOnce(Runtime runtime, boolean tun) throws IOException, InterruptedException {
    SandboxId id = SandboxId.random();
    try {
      Container container =
          launch.start(new LaunchSpec(id, launch.image(), Map.of(), SMALL, IDS, tun), runtime);
      container.kill();
    } finally {
      launch.remove(id);
    }
  }

  private void note(String subject, String seen) {
    findings.add(new Finding(subject, true, seen, ""));
  }

  private void complain(String subject, String seen, String remedy) {
    findings.add(new Finding(subject, false, seen, remedy));
  }

  /// Findings are for the operator: they may name what a tenant is not shown.
  private static String reason(Exception failure) {
    Throwable cause = failure.getCause();
    String message = cause == null ? failure.getMessage() : cause.getMessage();
    return message == null ? failure.toString() : message;
  }
}
