package dev.microsandbox;

import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// A program to run in a sandbox, without a shell.
///
/// @param workingDirectory the user's home where null
/// @param user `sandbox` where null, or `root`
/// @param stdin what it reads; end of file at once where null
/// @param timeout the server's default where null, none where zero
public record CommandRequest(
    List<String> argv,
    Map<String, String> environment,
    @Nullable String workingDirectory,
    @Nullable String user,
    byte @Nullable [] stdin,
    @Nullable Duration timeout) {

  ObjectNode toJson() {
    ObjectNode node = Json.object();
    argv.forEach(node.putArray("argv")::add);
    Json.putTexts(node, "env", environment);
    node.put("working_directory", workingDirectory);
    node.put("user", user);
    if (stdin != null) {
      node.put("stdin_base64", Base64.getEncoder().encodeToString(stdin));
    }
    node.put("timeout", CreateRequest.seconds(timeout));
    return node;
  }
}
