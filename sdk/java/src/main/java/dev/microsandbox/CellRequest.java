package dev.microsandbox;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// A cell of code to run.
///
/// @param language `python` or `node`; the image's first where null
/// @param context its language's default one where null
/// @param timeout the server's default where null, none where zero
public record CellRequest(
    String code, @Nullable String language, @Nullable String context, @Nullable Duration timeout) {

  ObjectNode toJson() {
    ObjectNode node = Json.object();
    node.put("code", code);
    node.put("language", language);
    node.put("context", context);
    node.put("timeout", CreateRequest.seconds(timeout));
    return node;
  }
}
