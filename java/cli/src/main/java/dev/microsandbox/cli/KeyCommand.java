package dev.microsandbox.cli;

import dev.microsandbox.KeyInfo;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// API keys, for clients that come by TCP.
@Command(
    name = "key",
    description = "Makes, lists and revokes API keys, for clients that come by TCP.",
    subcommands = {KeyCommand.Create.class, KeyCommand.List_.class, KeyCommand.Revoke.class})
final class KeyCommand {
  private KeyCommand() {}

  @Command(
      name = "create",
      description = "Makes a key and prints it, this once.",
      footer = {"", "Example:", "  export MSB_API_KEY=$(msb key create --name laptop)"})
  static final class Create extends SessionCommand {
    @Option(names = "--name", description = "What people call it.")
    @Nullable String name;

    @Option(names = "--owner", description = "The project whose sandboxes it sees (default).")
    @Nullable String owner;

    @Option(names = "--json", description = "As JSON.")
    boolean json;

    @Override
    public Integer call() {
      KeyInfo made = session.connectOrStart().administration().createKey(name, owner);
      if (json) {
        Map<String, Object> shown = new LinkedHashMap<>();
        shown.put("key", made.key());
        shown.put("id", made.id());
        shown.put("name", made.name());
        shown.put("owner", made.owner());
        JsonOutput.print(session.out(), shown);
      } else {
        session.out().println(made.key());
      }
      return ExitCode.OK;
    }
  }

  @Command(
      name = "ls",
      description = "Lists keys; never their secrets.",
      footer = {"", "Example:", "  msb key ls"})
  static final class List_ extends SessionCommand {
    @Option(names = "--json", description = "As JSON.")
    boolean json;

    @Override
    public Integer call() {
      List<KeyInfo> keys = session.connect().administration().keys();
      if (json) {
        JsonOutput.print(session.out(), keys);
        return ExitCode.OK;
      }
      Table table = new Table("ID", "NAME", "OWNER", "CREATED", "LAST USED", "STATE");
      for (KeyInfo key : keys) {
        table.row(
            key.id(),
            key.name(),
            key.owner(),
            Ages.since(key.createdAt()),
            Ages.since(key.lastUsedAt()),
            key.revokedAt() == null ? "valid" : "revoked");
      }
      table.print(session.out());
      return ExitCode.OK;
    }
  }

  @Command(
      name = "revoke",
      description = "Makes keys useless from now on.",
      footer = {"", "Example:", "  msb key revoke $(msb key ls --json | jq -r '.[0].id')"})
  static final class Revoke extends SessionCommand {
    @Parameters(arity = "1..*", paramLabel = "ID", description = "Ids, as key ls shows them.")
    List<String> ids;

    @Override
    public Integer call() {
      ids.forEach(session.connect().administration()::revokeKey);
      return ExitCode.OK;
    }
  }
}
