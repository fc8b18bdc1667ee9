package dev.microsandbox;

import java.util.List;
import tools.jackson.databind.JsonNode;

/// What a server found out about its host by trying.
///
/// @param usable whether sandboxes can be made there at all
public record Doctor(boolean usable, List<Finding> findings) {
  /// @param remedy the one command or setting that helps; empty where all is well
  public record Finding(String subject, boolean works, String seen, String remedy) {}

  static Doctor of(JsonNode node) {
    return new Doctor(
        node.path("usable").asBoolean(false),
        Json.list(
            node,
            "findings",
            f ->
                new Finding(
                    Json.text(f, "subject"),
                    f.path("works").asBoolean(false),
                    Json.text(f, "seen"),
                    Json.text(f, "remedy"))));
  }
}
