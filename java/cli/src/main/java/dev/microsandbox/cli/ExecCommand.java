package dev.microsandbox.cli;

import dev.microsandbox.CommandOptions;
import dev.microsandbox.RunEvent;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// A program in a sandbox.
@Command(
    name = "exec",
    description = "Runs a program in a sandbox, without a shell, and exits with its exit code.",
    footer = {
      "",
      "Examples:",
      "  msb exec demo -- python3 --version",
      "  msb exec --user root demo -- sh -c 'apt-get update && apt-get install -y jq'",
      "  msb attach demo $(msb exec --detach --timeout 0 demo -- sh -c 'sleep 9; echo done')",
      "  echo hello | msb exec -i demo -- tr a-z A-Z"
    })
final class ExecCommand extends SandboxCommand {
  @Parameters(index = "0", paramLabel = "SANDBOX", description = "Its name or id.")
  String sandbox;

  @Parameters(
      index = "1..*",
      arity = "1..*",
      paramLabel = "COMMAND",
      description = "The program and its arguments; put -- before them.")
  List<String> command;

  @Option(
      names = {"-u", "--user"},
      description = "sandbox (the default) or root.")
  @Nullable String user;

  @Option(
      names = {"-w", "--workdir"},
      paramLabel = "FOLDER",
      description = "Working directory (the user's home).")
  @Nullable String workingDirectory;

  @Option(
      names = {"-e", "--env"},
      paramLabel = "NAME=VALUE",
      description = "Environment.")
  Map<String, String> environment = new LinkedHashMap<>();

  @Option(
      names = {"-i", "--stdin"},
      description = "Pass on standard input.")
  boolean stdin;

  @Option(
      names = {"-t", "--timeout"},
      paramLabel = "TIME",
      converter = SecondsConverter.class,
      description = "Time limit; 0 for none (300).")
  @Nullable Duration timeout;

  @Option(
      names = {"-d", "--detach"},
      description = "Let it run, and print its run's id for attach and interrupt.")
  boolean detach;

  @Override
  public Integer call() throws IOException {
    CommandOptions options = options();
    String program = command.getFirst();
    List<String> arguments = command.subList(1, command.size());
    if (detach) {
      session.out().println(begin(program, arguments, options));
      return ExitCode.OK;
    }
    EventPrinter printer = new EventPrinter(session.out(), session.err());
    return ExitCode.of(sandbox(sandbox).command().stream(program, arguments, options, printer));
  }

  private String begin(String program, List<String> arguments, CommandOptions options) {
    try (Stream<RunEvent> events = sandbox(sandbox).command().stream(program, arguments, options)) {
      return events
          .filter(RunEvent.Started.class::isInstance)
          .map(event -> ((RunEvent.Started) event).id())
          .findFirst()
          .orElseThrow(() -> new Msb.UserMistake("it ended before it began"));
    }
  }

  private CommandOptions options() throws IOException {
    CommandOptions.Builder options = CommandOptions.builder().env(environment).keepRunning(detach);
    if (workingDirectory != null) {
      options.workingDirectory(workingDirectory);
    }
    if (user != null) {
      options.user(user);
    }
    if (timeout != null) {
      options.timeout(timeout);
    }
    if (stdin) {
      options.stdin(System.in.readAllBytes());
    }
    return options.build();
  }
}
