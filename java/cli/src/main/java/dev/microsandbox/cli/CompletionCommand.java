package dev.microsandbox.cli;

import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/// Completion for bash and zsh.
@Command(
    name = "completion",
    description = "Prints a completion script for bash and zsh.",
    footer = {"", "Example:", "  source <(msb completion)"})
final class CompletionCommand extends SessionCommand {
  @Override
  public Integer call() {
    CommandLine line = Msb.commandLine(session);
    session.out().print(AutoComplete.bash("msb", line));
    return ExitCode.OK;
  }
}
