package dev.microsandbox;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Runs programs in a sandbox; no shell is involved.
public final class Command {
  private final Session session;

  Command(Session session) {
    this.session = session;
  }

  /// Runs a program and waits for its end.
  ///
  /// @throws SandboxException `command_not_found` and others
  public CommandExecution run(String command, String... args) {
    return run(command, List.of(args), CommandOptions.DEFAULT);
  }

  /// Runs a program and waits for its end.
  public CommandExecution run(String command, List<String> args, CommandOptions options) {
    Call call = session.post("/commands", options.toJson(command, args));
    return CommandExecution.of(command, args, session.json(call.withinRun(options.timeout())));
  }

  /// Runs a program and gives its events as they happen. Close the stream: closing it before its
  /// end ends the program.
  public Stream<RunEvent> stream(String command, String... args) {
    return stream(command, List.of(args), CommandOptions.DEFAULT);
  }

  /// Runs a program and gives its events as they happen. Close the stream: closing it before its
  /// end ends the program.
  public Stream<RunEvent> stream(String command, List<String> args, CommandOptions options) {
    return EventStreams.of(events(command, args, options));
  }

  /// Runs a program, gives its events as they happen, and returns the last. A consumer that throws
  /// ends the program.
  public RunEvent.Finished stream(
      String command,
      List<String> args,
      CommandOptions options,
      Consumer<? super RunEvent> events) {
    return EventStreams.each(() -> events(command, args, options), events);
  }

  /// Sends a signal to a command and its whole process group. Harmless after its end.
  ///
  /// @param runId as the started event or the execution has it
  /// @param signal its number, 1 to 64
  public void signal(String runId, int signal) {
    signal(runId, signal, true);
  }

  /// Sends a signal to a command. Harmless after its end.
  ///
  /// @param group whether to all of its process group
  public void signal(String runId, int signal, boolean group) {
    Map<String, @Nullable Object> body = new LinkedHashMap<>();
    body.put("signal", signal);
    body.put("group", group);
    session.bytes(session.post("/commands/" + Call.escape(runId) + "/signal", body));
  }

  private EventReader events(String command, List<String> args, CommandOptions options) {
    String path = session.path("/commands", new Query().add("encoding", "base64"));
    Call call = Call.post(path, options.toJson(command, args));
    return session.events(call.withinRun(options.timeout()));
  }
}
