package dev.microsandbox;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/// Runs programs in a sandbox without waiting; see [AsyncSandbox].
public final class AsyncCommand {
  private final Command command;

  AsyncCommand(Command command) {
    this.command = command;
  }

  /// See [Command#run(String, String...)].
  public CompletableFuture<CommandExecution> run(String program, String... args) {
    return run(program, List.of(args), CommandOptions.DEFAULT);
  }

  /// See [Command#run(String, List, CommandOptions)].
  public CompletableFuture<CommandExecution> run(
      String program, List<String> args, CommandOptions options) {
    return Async.call(() -> command.run(program, args, options));
  }

  /// See [Command#stream(String, List, CommandOptions, Consumer)].
  public CompletableFuture<RunEvent.Finished> stream(
      String program,
      List<String> args,
      CommandOptions options,
      Consumer<? super RunEvent> events) {
    return Async.call(() -> command.stream(program, args, options, events));
  }

  /// See [Command#signal(String, int, boolean)].
  public CompletableFuture<Void> signal(String runId, int signal, boolean group) {
    return Async.run(() -> command.signal(runId, signal, group));
  }
}
