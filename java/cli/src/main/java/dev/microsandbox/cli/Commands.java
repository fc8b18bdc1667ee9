package dev.microsandbox.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.IFactory;

/// The commands of `msb`, by the name that is typed, in the order of the help.
///
/// A call only makes the model of the one that it names: models are made from annotations, and
/// those of all commands would take as long as everything else that `msb run` does.
final class Commands {
  static final Map<String, Class<?>> BY_NAME = byName();

  private Commands() {}

  /// Adds the command that is named first, or all where none is, for then it is help or a mistake
  /// that is wanted.
  static void add(CommandLine line, IFactory factory, String... arguments) {
    Class<?> named = arguments.length == 0 ? null : BY_NAME.get(arguments[0]);
    if (named == null) {
      BY_NAME.forEach((name, type) -> line.addSubcommand(name, new CommandLine(type, factory)));
    } else {
      line.addSubcommand(arguments[0], new CommandLine(named, factory));
    }
  }

  private static Map<String, Class<?>> byName() {
    Map<String, Class<?>> commands = new LinkedHashMap<>();
    commands.put("run", RunCommand.class);
    commands.put("create", CreateCommand.class);
    commands.put("ps", PsCommand.class);
    commands.put("inspect", InspectCommand.class);
    commands.put("exec", ExecCommand.class);
    commands.put("attach", AttachCommand.class);
    commands.put("interrupt", InterruptCommand.class);
    commands.put("context", ContextCommand.class);
    commands.put("cp", CopyCommand.class);
    commands.put("start", StartCommand.class);
    commands.put("stop", StopCommand.class);
    commands.put("extend", ExtendCommand.class);
    commands.put("rm", RemoveCommand.class);
    commands.put("logs", LogsCommand.class);
    commands.put("metrics", MetricsCommand.class);
    commands.put("image", ImageCommand.class);
    commands.put("pool", PoolCommand.class);
    commands.put("key", KeyCommand.class);
    commands.put("server", ServerCommand.class);
    commands.put("doctor", DoctorCommand.class);
    commands.put("version", VersionCommand.class);
    commands.put("completion", CompletionCommand.class);
    return commands;
  }
}
