package dev.microsandbox;

import java.util.List;

/// What a server found out about its host by trying.
///
/// @param usable whether sandboxes can be made there at all
public record Doctor(boolean usable, List<Finding> findings) {
  /// @param remedy the one command or setting that helps; empty where all is well
  public record Finding(String subject, boolean works, String seen, String remedy) {}

  static Doctor of(JsonObject node) {
    return new Doctor(
        node.truth("usable"),
        node.objects(
            "findings",
            finding ->
                new Finding(
                    finding.text("subject"),
                    finding.truth("works"),
                    finding.text("seen"),
                    finding.text("remedy"))));
  }
}
