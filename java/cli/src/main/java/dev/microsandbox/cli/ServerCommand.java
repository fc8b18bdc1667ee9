package dev.microsandbox.cli;

import dev.microsandbox.ServerInfo;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// The server of this machine.
@Command(
    name = "server",
    description = "Starts, stops and shows the server of this machine.",
    subcommands = {ServerCommand.Start.class, ServerCommand.Stop.class, ServerCommand.Status.class})
final class ServerCommand {
  private ServerCommand() {}

  @Command(
      name = "start",
      description = "Starts the server, in the background unless told otherwise.",
      footer = {
        "",
        "Clients on this machine use the unix socket and need no key. TCP wants an API key (msb key",
        "create), unless --dev turns keys off, which is allowed on loopback only.",
        "",
        "Examples:",
        "  msb server start",
        "  msb server start --port 8080 --foreground"
      })
  static final class Start extends SessionCommand {
    @Option(names = "--port", paramLabel = "N", description = "TCP port on 127.0.0.1 (5555).")
    @Nullable Integer port;

    @Option(names = "--dev", description = "No keys on TCP; loopback only.")
    boolean dev;

    @Option(names = "--foreground", description = "Stay, and log to this terminal.")
    boolean foreground;

    @Option(
        names = "--set",
        paramLabel = "KEY=VALUE",
        description = "Any other setting of the server's; may be repeated.")
    List<String> settings = new ArrayList<>();

    @Override
    public Integer call() throws IOException, InterruptedException {
      ServerProcess server = session.localServer();
      Optional<ServerInfo> running = server.info();
      if (running.isPresent()) {
        session.err().println("msb: a server runs already; msb server stop ends it");
        return ExitCode.FAILED;
      }
      ServerProcess.Options options = new ServerProcess.Options(arguments());
      if (foreground) {
        return server.runInForeground(options);
      }
      ServerInfo info = server.start(options);
      session.out().println("microsandbox " + info.version() + " runs");
      return ExitCode.OK;
    }

    private List<String> arguments() {
      List<String> arguments = new ArrayList<>();
      if (port != null) {
        arguments.add("--port=" + port);
      }
      if (dev) {
        arguments.add("--dev");
      }
      settings.forEach(setting -> arguments.add("--" + setting));
      return arguments;
    }
  }

  @Command(
      name = "stop",
      description = "Ends all sandboxes' processes and the server.",
      footer = {"", "Examples:", "  msb server stop", "  msb server stop --keep"})
  static final class Stop extends SessionCommand {
    @Option(names = "--keep", description = "Leave the sandboxes running for the next server.")
    boolean keep;

    @Override
    public Integer call() {
      boolean ended = session.localServer().stop(keep);
      session.out().println(ended ? "stopped" : "no server runs");
      return ExitCode.OK;
    }
  }

  @Command(
      name = "status",
      description = "Shows whether the server runs; exits with 3 where it does not.",
      footer = {"", "Example:", "  msb server status --json"})
  static final class Status extends SessionCommand {
    @Option(names = "--json", description = "As JSON.")
    boolean json;

    @Override
    public Integer call() {
      Optional<ServerInfo> info = session.localServer().info();
      if (info.isEmpty()) {
        session.err().println("msb: no server runs; start one with: msb server start");
        return ExitCode.NOT_RUNNING;
      }
      if (json) {
        JsonOutput.print(session.out(), info.get());
        return ExitCode.OK;
      }
      ServerInfo server = info.get();
      session.out().println("version    " + server.version());
      session.out().println("up for     " + Ages.since(server.startedAt()));
      session.out().println("isolation  " + String.join(", ", server.isolation()));
      session.out().println("keys       " + (server.keysRequired() ? "needed on TCP" : "off"));
      session
          .out()
          .println(
              "sandboxes  %d running, %d in all, at most %d"
                  .formatted(server.running(), server.stored(), server.maximumSandboxes()));
      return ExitCode.OK;
    }
  }
}
