package dev.microsandbox.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.microsandbox.ErrorCode;
import dev.microsandbox.Outcome;
import dev.microsandbox.RunEvent;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class MsbTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private final Session session =
      new Session(
          Map.of("MSB_SERVER_URL", "unix:/nonexistent/msb.sock"),
          new PrintStream(out, true, StandardCharsets.UTF_8),
          new PrintStream(err, true, StandardCharsets.UTF_8));

  @Test
  void everyCommandExplainsItselfWithAnExample() {
    List<CommandLine> leaves = new ArrayList<>();
    collect(Msb.commandLine(session), leaves);
    assertThat(leaves).hasSizeGreaterThan(15);
    for (CommandLine leaf : leaves) {
      String usage = leaf.getUsageMessage();
      assertThat(usage).contains("Usage:");
      if (!leaf.getCommandName().equals("version") && !leaf.getCommandName().equals("help")) {
        assertThat(usage).as(leaf.getCommandName()).contains("Example");
      }
    }
  }

  @Test
  void commandThatIsMadeAloneIsWhatItIsAmongAll() {
    Map<String, CommandLine> all = Msb.commandLine(session).getSubcommands();
    assertThat(all.values().stream().map(CommandLine::getCommandName).distinct())
        .containsExactlyElementsOf(Commands.BY_NAME.keySet());
    for (String name : Commands.BY_NAME.keySet()) {
      Map<String, CommandLine> alone = Msb.commandLine(session, name).getSubcommands();
      assertThat(alone.values().stream().distinct()).hasSize(1);
      assertThat(usage(alone, name)).isEqualTo(usage(all, name));
    }
  }

  private static String usage(Map<String, CommandLine> commands, String name) {
    CommandLine command = Objects.requireNonNull(commands.get(name), name);
    assertThat(command.getCommandSpec().names()).startsWith(name);
    return command.getUsageMessage();
  }

  @Test
  void helpKnowsAllCommands() {
    assertThat(Msb.execute(session, "--help")).isZero();
    assertThat(out.toString()).contains("run", "extend", "completion");
  }

  @Test
  void unknownCommandIsWrongUsage() {
    assertThat(Msb.execute(session, "frobnicate")).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).contains("frobnicate");
  }

  @Test
  void serverThatWasNamedAndDoesNotAnswerIsNotStarted() {
    assertThat(Msb.execute(session, "run", "python", "-c", "1")).isEqualTo(ExitCode.MSB_FAILED);
    assertThat(err.toString()).contains("msb server start", "server_unreachable");
    assertThat(Msb.execute(session, "server", "status")).isEqualTo(ExitCode.NOT_RUNNING);
  }

  @Test
  void missingFileIsNamed() {
    assertThat(Msb.execute(session, "run", "python", "/no/such/file.py"))
        .isEqualTo(ExitCode.MSB_FAILED);
    assertThat(err.toString()).contains("/no/such/file.py");
  }

  @Test
  void completionIsAScriptThatKnowsTheCommands() {
    assertThat(Msb.execute(session, "completion")).isZero();
    assertThat(out.toString()).contains("complete", "exec", "doctor");
  }

  @Test
  void colonAfterANameIsAPlaceInASandbox() {
    assertThat(CopyCommand.Place.of("demo:/etc/hosts"))
        .isEqualTo(new CopyCommand.Place("demo", "/etc/hosts"));
    assertThat(CopyCommand.Place.of("demo:a:b")).isEqualTo(new CopyCommand.Place("demo", "a:b"));
    for (String here : List.of("-", "file", "./demo:file", "/a/b:c", ":file")) {
      assertThat(CopyCommand.Place.of(here)).as(here).isNull();
    }
  }

  @Test
  void exitCodesAreThoseOfWhatWasRun() {
    assertThat(ExitCode.of(finished(Outcome.OK, null, null))).isZero();
    assertThat(ExitCode.of(finished(Outcome.ERROR, null, null))).isEqualTo(1);
    assertThat(ExitCode.of(finished(Outcome.EXITED, 3, null))).isEqualTo(3);
    assertThat(ExitCode.of(finished(Outcome.TIMED_OUT, null, null))).isEqualTo(124);
    assertThat(ExitCode.of(finished(Outcome.SIGNALED, null, 15))).isEqualTo(143);
    assertThat(ExitCode.of(finished(Outcome.OUT_OF_MEMORY, null, null))).isEqualTo(137);
    assertThat(ExitCode.ofRefusal(ErrorCode.COMMAND_NOT_FOUND)).isEqualTo(127);
  }

  @Test
  void tablesShowNoControlCharacters() {
    Table table = new Table("NAME");
    table.row("a\u001b[2Jb");
    table.print(session.out());
    assertThat(out.toString(StandardCharsets.UTF_8))
        .contains("a\uFFFD[2Jb")
        .doesNotContain("\u001b");
  }

  @Test
  void sizesAndTimesAreReadWithTheirUnits() {
    assertThat(new SizeConverter().convert("512")).isEqualTo(512);
    assertThat(new SizeConverter().convert("2g")).isEqualTo(2048);
    assertThat(new SecondsConverter().convert("1.5m")).isEqualTo(Duration.ofSeconds(90));
    assertThat(new SecondsConverter().convert("0")).isEqualTo(Duration.ZERO);
  }

  private static RunEvent.Finished finished(
      Outcome outcome, @Nullable Integer code, @Nullable Integer signal) {
    return new RunEvent.Finished(outcome, false, code, signal, false, Duration.ZERO);
  }

  private static void collect(CommandLine line, List<CommandLine> leaves) {
    if (line.getSubcommands().isEmpty()) {
      leaves.add(line);
    }
    line.getSubcommands().values().forEach(sub -> collect(sub, leaves));
  }
}
