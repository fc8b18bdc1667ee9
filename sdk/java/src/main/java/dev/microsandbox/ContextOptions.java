package dev.microsandbox;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// How a context is opened.
///
/// @param id by the rules of names; a new one where null
/// @param env environment of its interpreter
/// @param workingDirectory where it begins; the user's home where null
/// @param user `sandbox` where null, or `root`
public record ContextOptions(
    @Nullable String id,
    Map<String, String> env,
    @Nullable String workingDirectory,
    @Nullable String user) {

  /// Everything left to the server.
  public static final ContextOptions DEFAULT = new ContextOptions(null, Map.of(), null, null);

  /// The options, with a copy of the environment.
  public ContextOptions {
    env = Map.copyOf(env);
  }

  /// The same with an id.
  public ContextOptions withId(String name) {
    return new ContextOptions(name, env, workingDirectory, user);
  }

  /// The same with another environment.
  public ContextOptions withEnv(Map<String, String> variables) {
    return new ContextOptions(id, variables, workingDirectory, user);
  }

  /// The same with another folder to begin in.
  public ContextOptions withWorkingDirectory(String folder) {
    return new ContextOptions(id, env, folder, user);
  }

  /// The same as another user.
  public ContextOptions withUser(String name) {
    return new ContextOptions(id, env, workingDirectory, name);
  }

  Map<String, @Nullable Object> toJson(String language) {
    Map<String, @Nullable Object> body = new LinkedHashMap<>();
    body.put("language", language);
    body.put("id", id);
    body.put("env", env);
    body.put("working_directory", workingDirectory);
    body.put("user", user);
    return body;
  }
}
