package dev.microsandbox.isolation.oci;

import dev.microsandbox.isolation.ProbeReport;
import dev.microsandbox.isolation.ProbeReport.Feature;
import dev.microsandbox.isolation.ProbeReport.Finding;
import dev.microsandbox.linux.Cgroups;
import dev.microsandbox.linux.HostCommand;
import dev.microsandbox.linux.SandboxMounts;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Finds out what this host can do.
final class HostProbe {
  private static final List<String> RUNTIMES = List.of("crun", "runc");

  private final ContainerSettings settings;
  private final Cgroups cgroups;
  private final SandboxMounts mounts;
  private final List<Finding> findings = new ArrayList<>();

  HostProbe(ContainerSettings settings, Cgroups cgroups, SandboxMounts mounts) {
    this.settings = settings;
    this.cgroups = cgroups;
    this.mounts = mounts;
  }

  /// @param runtime the one to use; null where none works
  record Answer(@Nullable Runtime runtime, ProbeReport report) {}

  Answer run() {
    Runtime runtime = null;
    List<String> names = settings.runtime() == null ? RUNTIMES : List.of(settings.runtime());
    for (String name : names) {
      Path program = HostCommand.find(name);
      if (program != null && runtime == null) {
        try {
          runtime = Runtime.ask(program);
        } catch (IOException | InterruptedException e) {
          findings.add(new Finding(name, false, String.valueOf(e.getMessage()), ""));
        }
      }
    }
    Set<Feature> features = EnumSet.of(Feature.DISK_QUOTA, Feature.PAUSE, Feature.EGRESS_CAPTURE);
    return new Answer(
        runtime,
        new ProbeReport(
            runtime != null, runtime == null ? "" : runtime.version(), features, findings));
  }
}
