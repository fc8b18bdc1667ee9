package dev.microsandbox.cli;

import dev.microsandbox.Context;
import dev.microsandbox.ContextInfo;
import dev.microsandbox.ContextOptions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// The interpreters of a sandbox.
@Command(
    name = "context",
    description = "Lists, opens and closes contexts: interpreters with a state of their own.",
    subcommands = {
      ContextCommand.List_.class,
      ContextCommand.Open.class,
      ContextCommand.Close.class
    })
final class ContextCommand {
  private ContextCommand() {}

  @Command(
      name = "ls",
      description = "Lists a sandbox's contexts.",
      footer = {"", "Example:", "  msb context ls --json demo"})
  static final class List_ extends SandboxCommand {
    @Parameters(paramLabel = "SANDBOX", description = "Its name or id.")
    String sandbox;

    @Option(names = "--json", description = "As JSON.")
    boolean json;

    @Override
    public Integer call() {
      List<ContextInfo> all = sandbox(sandbox).contexts().list();
      if (json) {
        JsonOutput.print(session.out(), all);
        return ExitCode.OK;
      }
      Table table = new Table("ID", "LANGUAGE", "VERSION", "READY");
      for (ContextInfo each : all) {
        String version = each.interpreterVersion();
        table.row(
            each.id(),
            each.language(),
            version == null ? "-" : version,
            each.ready() ? "yes" : "no");
      }
      table.print(session.out());
      return ExitCode.OK;
    }
  }

  @Command(
      name = "open",
      description = "Opens a further context and prints its id.",
      footer = {"", "Example:", "  msb context open --id second demo python"})
  static final class Open extends SandboxCommand {
    @Parameters(index = "0", paramLabel = "SANDBOX", description = "Its name or id.")
    String sandbox;

    @Parameters(index = "1", paramLabel = "LANGUAGE", description = "python or node.")
    String language;

    @Option(names = "--id", description = "Its id; one is made up otherwise.")
    @Nullable String id;

    @Option(
        names = {"-e", "--env"},
        paramLabel = "NAME=VALUE",
        description = "Environment.")
    Map<String, String> environment = new LinkedHashMap<>();

    @Option(
        names = {"-w", "--workdir"},
        paramLabel = "FOLDER",
        description = "Working directory (the user's home).")
    @Nullable String workingDirectory;

    @Option(
        names = {"-u", "--user"},
        description = "sandbox (the default) or root.")
    @Nullable String user;

    @Override
    public Integer call() {
      ContextOptions options = new ContextOptions(id, environment, workingDirectory, user);
      // Not closed: it is to stay.
      Context opened = sandbox(sandbox).contexts().open(language, options);
      session.out().println(Table.printable(opened.id()));
      return ExitCode.OK;
    }
  }

  @Command(
      name = "close",
      description = "Ends contexts; their state is lost.",
      footer = {"", "Example:", "  msb context close demo second"})
  static final class Close extends SandboxCommand {
    @Parameters(index = "0", paramLabel = "SANDBOX", description = "Its name or id.")
    String sandbox;

    @Parameters(
        index = "1..*",
        arity = "1..*",
        paramLabel = "ID",
        description = "The contexts' ids.")
    List<String> ids;

    @Override
    public Integer call() {
      ids.forEach(sandbox(sandbox).contexts()::close);
      return ExitCode.OK;
    }
  }
}
