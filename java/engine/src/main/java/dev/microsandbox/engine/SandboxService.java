package dev.microsandbox.engine;

import dev.microsandbox.model.ObjectId;
import dev.microsandbox.model.SandboxSpec;
import java.util.List;
import java.util.Optional;

/// Everything that can be done with sandboxes, for every API alike.
///
/// All methods block until done, in bounded time, and may be called from any thread. Errors are
/// [dev.microsandbox.model.SandboxException]. What belongs to another owner does not exist.
public interface SandboxService {

  /// Makes a sandbox and returns when it is usable. The spec's owner is the caller's.
  ///
  /// @throws dev.microsandbox.model.SandboxException `name_taken`, `image_not_found`,
  ///   `invalid_limits`, `too_many_sandboxes`, `isolation_unavailable`, `sandbox_failed` …
  SandboxInfo create(Caller caller, SandboxSpec spec);

  SandboxInfo get(Caller caller, SandboxRef sandbox);

  /// By age, the oldest first.
  List<SandboxInfo> list(Caller caller, SandboxFilter filter);

  /// Runs a stopped one again with its disk and fresh interpreters. A running one is left as it is.
  SandboxInfo start(Caller caller, SandboxRef sandbox);

  /// Ends its processes, gracefully, then by force. An ephemeral one is deleted with that. Harmless
  /// for a stopped one.
  SandboxInfo stop(Caller caller, SandboxRef sandbox);

  /// Kills what runs in it, and removes all that there is of it.
  void delete(Caller caller, SandboxRef sandbox);

  /// Changes how long it lives, and counts as use.
  SandboxInfo extend(Caller caller, SandboxRef sandbox, TimeLimits limits);

  /// Runs a cell, its output collected. Returns as soon as the sandbox, which may just be started,
  /// runs.
  RunHandle run(Caller caller, SandboxRef sandbox, RunRequest request);

  /// The same where the sandbox runs already, so that nothing has to be waited for.
  ///
  /// @return empty where it is being started; nothing has been done then
  Optional<RunHandle> runNow(Caller caller, SandboxRef sandbox, RunRequest request);

  /// Runs a cell, its output taken as it comes. Returns at once.
  RunStream stream(Caller caller, SandboxRef sandbox, RunRequest request);

  /// Starts a program, its output collected.
  RunHandle command(Caller caller, SandboxRef sandbox, CommandRequest request);

  /// Starts a program, its output taken as it comes.
  RunStream stream(Caller caller, SandboxRef sandbox, CommandRequest request);

  /// A further view of a cell or command that runs, or has ended lately.
  ///
  /// @param offset of the output to begin with; what is no longer kept is left out
  RunStream attach(Caller caller, SandboxRef sandbox, ObjectId run, long offset);

  /// Stops a cell or command; its outcome will be `interrupted`. Harmless after its end.
  void interrupt(Caller caller, SandboxRef sandbox, ObjectId run);

  /// Sends a signal to a command. Harmless after its end.
  ///
  /// @param group to all of its process group
  void signal(Caller caller, SandboxRef sandbox, ObjectId run, int number, boolean group);

  ContextInfo openContext(Caller caller, SandboxRef sandbox, ContextSpec spec);

  List<ContextInfo> contexts(Caller caller, SandboxRef sandbox);

  void closeContext(Caller caller, SandboxRef sandbox, String context);

  /// Opens a file to be read to its end.
  ///
  /// @param user whose rights apply; `sandbox` where empty
  FileSource readFile(Caller caller, SandboxRef sandbox, String path, String user);

  /// Begins to write a whole file. What bounds its size is the sandbox's disk.
  FileSink writeFile(Caller caller, SandboxRef sandbox, FileWrite file);

  SandboxMetrics metrics(Caller caller, SandboxRef sandbox);

  /// What the sandbox's log holds past a sequence number, the oldest first.
  ///
  /// @param after 0 for all
  List<LogEntry> logs(Caller caller, SandboxRef sandbox, long after, int limit);

  List<ImageInfo> images(Caller caller);

  ServerStatus status();
}
