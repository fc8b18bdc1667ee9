package dev.microsandbox.isolation;

import java.util.List;
import java.util.Set;

/// What a driver found out about this host by trying.
///
/// @param usable whether sandboxes can be launched at all
/// @param runtime program and version, for people; empty where none works
/// @param features what it can do beyond launching
/// @param findings what people should know: each with what was seen and the remedy
public record ProbeReport(
    boolean usable, String runtime, Set<Feature> features, List<Finding> findings) {

  public ProbeReport {
    features = Set.copyOf(features);
    findings = List.copyOf(findings);
  }

  /// What one kind of isolation can do and another cannot. The engine refuses what is missing and
  /// names the kind that has it.
  public enum Feature {
    EGRESS_CAPTURE,
    DISK_QUOTA,
    PAUSE,
    CHECKPOINT,
    LIVE_RESIZE
  }

  /// @param works false where something is missing or broken
  /// @param remedy the one command or setting that helps; empty where all is well
  public record Finding(String subject, boolean works, String seen, String remedy) {}
}
