package dev.microsandbox.agent;

import dev.microsandbox.model.ObjectId;
import java.util.List;
import java.util.Map;

/// A program to start.
///
/// @param argv no shell is involved; the first is looked up on the user's PATH
/// @param workingDirectory the user's home where empty
/// @param user `sandbox` where empty, or `root`, or a name of the sandbox's own
/// @param stdin whether input will be sent; else it reads end of file
public record ProcessRequest(
    ObjectId id,
    List<String> argv,
    Map<String, String> environment,
    String workingDirectory,
    String user,
    boolean stdin,
    long offset,
    int window) {

  public ProcessRequest {
    argv = List.copyOf(argv);
    environment = Map.copyOf(environment);
  }
}
