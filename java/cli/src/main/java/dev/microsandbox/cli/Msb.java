package dev.microsandbox.cli;

import dev.microsandbox.SandboxException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IFactory;
import picocli.CommandLine.ScopeType;

/// The `msb` command.
@Command(
    name = "msb",
    description = "Runs untrusted code in isolated sandboxes, on this machine.",
    synopsisSubcommandLabel = "COMMAND",
    mixinStandardHelpOptions = true,
    scope = ScopeType.INHERIT,
    versionProvider = VersionCommand.Provider.class,
    footer = {
      "",
      "Environment: MSB_SERVER_URL (http://host:port or unix:/path), MSB_API_KEY,",
      "MICROSANDBOX_HOME (of a server that is started here).",
      "",
      "Exit codes: 0 done; 1 refused, or the code raised; 2 wrong usage; 3 no server (server",
      "status); run, exec and attach pass on what was run: its exit code, 124 for a time limit, 125",
      "when msb or the server failed, 126 not executable, 127 not found, 128+N for signal N.",
      "",
      "Examples:",
      "  msb run python -c 'print(6 * 7)'",
      "  echo 'console.log(process.version)' | msb run node",
      "  msb create --name demo python && msb exec demo -- python3 --version && msb rm demo"
    })
public final class Msb implements Runnable {
  @CommandLine.Spec CommandLine.Model.CommandSpec spec;

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "a command is missing");
  }

  public static void main(String[] arguments) {
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    PrintStream err = new PrintStream(System.err, true, StandardCharsets.UTF_8);
    int code = execute(new Session(System.getenv(), out, err), arguments);
    out.flush();
    System.exit(code);
  }

  static int execute(Session session, String... arguments) {
    return commandLine(session, arguments).execute(arguments);
  }

  /// With the commands that these arguments need; with all where there are none.
  static CommandLine commandLine(Session session, String... arguments) {
    IFactory factory = new SessionFactory(session);
    CommandLine line = new CommandLine(Msb.class, factory);
    Commands.add(line, factory, arguments);
    line.setOut(new PrintWriter(session.out(), true));
    line.setErr(new PrintWriter(session.err(), true));
    line.setUnmatchedOptionsArePositionalParams(false);
    line.setExecutionExceptionHandler(
        (exception, failed, result) -> failed(session, exception, failed));
    return line;
  }

  private static int failed(Session session, Exception exception, CommandLine failed)
      throws Exception {
    boolean runs =
        failed.getCommand() instanceof RunCommand
            || failed.getCommand() instanceof ExecCommand
            || failed.getCommand() instanceof AttachCommand;
    if (exception instanceof SandboxException refused) {
      session.err().println("msb: " + refused.message() + " (" + refused.codeName() + ")");
      return runs ? ExitCode.ofRefusal(refused.code()) : ExitCode.FAILED;
    }
    if (exception instanceof UserMistake mistake) {
      session.err().println("msb: " + mistake.getMessage());
      return runs ? ExitCode.MSB_FAILED : ExitCode.FAILED;
    }
    throw exception;
  }

  /// Something that only the user can put right, such as a file that is not there.
  static final class UserMistake extends RuntimeException {
    private static final long serialVersionUID = 1;

    UserMistake(String message) {
      super(message);
    }
  }

  /// Gives each command its session.
  private record SessionFactory(Session session) implements IFactory {
    private static final IFactory DEFAULT = CommandLine.defaultFactory();

    @Override
    public <K> K create(Class<K> type) throws Exception {
      K made = DEFAULT.create(type);
      if (made instanceof SessionCommand command) {
        command.session = session;
      }
      return made;
    }
  }
}
