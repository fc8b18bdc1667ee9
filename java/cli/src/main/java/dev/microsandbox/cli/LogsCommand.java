package dev.microsandbox.cli;

import dev.microsandbox.ImageSandbox;
import dev.microsandbox.LogLine;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// A sandbox's log.
@Command(
    name = "logs",
    description =
        "Shows a sandbox's log: what it wrote outside of any cell, its connections, its ends.",
    footer = {"", "Example:", "  msb logs --follow demo"})
final class LogsCommand extends SandboxCommand {
  private static final int POLL_MILLIS = 500;
  private static final int LIMIT = 1000;

  @Parameters(paramLabel = "SANDBOX", description = "Its name or id.")
  String sandbox;

  @Option(
      names = {"-f", "--follow"},
      description = "Go on until interrupted.")
  boolean follow;

  @Option(names = "--json", description = "As JSON.")
  boolean json;

  @Override
  public Integer call() throws InterruptedException {
    ImageSandbox source = sandbox(sandbox);
    long after = 0;
    do {
      List<LogLine> lines = source.logs(after, LIMIT);
      after = lines.isEmpty() ? after : lines.getLast().sequence();
      print(lines);
      if (follow) {
        Thread.sleep(POLL_MILLIS);
      }
    } while (follow);
    return ExitCode.OK;
  }

  private void print(List<LogLine> lines) {
    if (json) {
      JsonOutput.print(session.out(), lines);
      return;
    }
    for (LogLine line : lines) {
      session.out().println(line.time() + " " + line.source() + " " + Table.printable(line.text()));
    }
    session.out().flush();
  }
}
