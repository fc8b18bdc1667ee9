package dev.microsandbox.cli;

import dev.microsandbox.CommandOptions;
import dev.microsandbox.RunEvent;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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

  @Override
  public Integer call() throws IOException {
    CommandOptions.Builder options = CommandOptions.builder().env(environment);
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
    RunEvent.Finished end =
        sandbox(sandbox).command().stream(
            command.getFirst(),
            command.subList(1, command.size()),
            options.build(),
            new EventPrinter(session.out(), session.err()));
    return ExitCode.of(end);
  }
}
