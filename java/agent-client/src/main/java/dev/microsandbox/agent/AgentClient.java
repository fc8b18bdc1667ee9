package dev.microsandbox.agent;

import dev.microsandbox.model.ObjectId;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/// One connection to one sandbox's agent, from its hello to its end.
///
/// Calls that wait are bounded by their own deadline and throw a coded
/// [dev.microsandbox.model.SandboxException]: what the agent refused, or `agent_lost`. All methods
/// may be called from any thread.
public interface AgentClient extends AutoCloseable {

  /// What the agent said of itself when the connection began.
  AgentHello hello();

  /// Tells the sandbox who it is. What is asked for later finds it told, whether or not anybody
  /// waits for the answer.
  ///
  /// @param patience for the agent to say that it is done; after that it is lost
  CompletableFuture<Void> configure(SandboxConfiguration configuration, Duration patience);

  /// Makes a cell, or attaches to the one that has this id. Returns at once; everything else comes
  /// to the listener.
  ObjectStream runCell(CellRequest request, ObjectListener listener);

  /// Starts a program, or attaches to the one that has this id.
  ObjectStream startProcess(ProcessRequest request, ObjectListener listener);

  /// Attaches to a cell or process from an offset of its output.
  ObjectStream attach(ObjectId id, long offset, ObjectListener listener);

  /// Asks a cell or process to end; a cell that resists is killed with its interpreter after the
  /// grace. The answer comes when the agent has taken note, not when the object has ended.
  CompletableFuture<Void> interrupt(ObjectId id, InterruptCause cause, Duration grace);

  /// Sends a signal to a process, or to its whole group.
  void signal(ObjectId id, int number, boolean group);

  /// The outcomes of these objects are known here and need not be kept any longer. Does not wait.
  void acknowledge(List<ObjectId> ids);

  /// Opens a further context.
  void openContext(ContextRequest request);

  void closeContext(String contextId);

  /// Opens a file to be read to its end, with the rights of a user (`sandbox` where empty). Waits
  /// until it is open.
  ///
  /// @throws dev.microsandbox.model.SandboxException what is wrong with it: `no_such_file`,
  ///   `permission_denied` and others
  FileDownload readFile(String path, String user);

  /// Begins to write a whole file, which is in its place once [FileUpload#finish] has returned, and
  /// not before. Waits until it can be written.
  ///
  /// @throws dev.microsandbox.model.SandboxException what is wrong: `permission_denied`,
  ///   `is_a_directory` and others
  FileUpload writeFile(String path, FileMode mode);

  AgentStatus status();

  /// Answers when the agent does; `agent_lost` after the deadline.
  void ping(Duration deadline);

  /// Ends everything inside: SIGTERM, the grace, SIGKILL. Does not wait for the end.
  void shutdown(Duration grace);

  /// Completes with the reason when the connection has ended, normally or not.
  CompletableFuture<ChannelEnd> ended();

  /// Cuts the connection; the sandbox lives on.
  @Override
  void close();
}
