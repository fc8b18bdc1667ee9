package dev.microsandbox.cli;

import dev.microsandbox.ImageSandbox;
import dev.microsandbox.RunOptions;
import dev.microsandbox.SandboxException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// One cell in a sandbox of its own, which is gone afterwards.
@Command(
    name = "run",
    description = "Runs one cell in a new sandbox, which is removed afterwards.",
    footer = {
      "",
      "Examples:",
      "  msb run python -c 'print(6 * 7)'",
      "  msb run node script.js",
      "  echo 'print(1)' | msb run python --memory 1g --timeout 10"
    })
final class RunCommand extends SessionCommand {
  @Mixin SandboxOptions options;

  @Parameters(
      index = "0",
      paramLabel = "IMAGE",
      description = "python, node, or another image's name.")
  String image;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "FILE",
      description = "Source to run; standard input where neither this nor -c is given.")
  @Nullable Path file;

  @Option(names = "-c", paramLabel = "CODE", description = "Source to run.")
  @Nullable String code;

  @Option(
      names = {"-t", "--timeout"},
      paramLabel = "TIME",
      converter = SecondsConverter.class,
      description = "Time limit, such as 10, 90s or 5m; 0 for none (300).")
  @Nullable Duration timeout;

  @Override
  public Integer call() throws IOException {
    String source = source();
    ImageSandbox sandbox = options.builder(session.connectOrStart(), image, true).create();
    Thread cleaner = new Thread(() -> remove(sandbox));
    Runtime.getRuntime().addShutdownHook(cleaner);
    try {
      RunOptions limited = new RunOptions(timeout, null, false, null);
      return ExitCode.of(
          sandbox.stream(source, limited, new EventPrinter(session.out(), session.err())));
    } finally {
      remove(sandbox);
      Runtime.getRuntime().removeShutdownHook(cleaner);
    }
  }

  private static void remove(ImageSandbox sandbox) {
    try {
      sandbox.delete();
    } catch (SandboxException ended) {
      // the server has ended, and with that the sandbox is gone, for it is ephemeral
    }
  }

  private String source() throws IOException {
    if (code != null) {
      return code;
    }
    if (file == null || file.toString().equals("-")) {
      return new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
    }
    try {
      return Files.readString(file);
    } catch (NoSuchFileException e) {
      throw new Msb.UserMistake("no such file: " + Table.printable(file.toString()));
    } catch (java.nio.charset.MalformedInputException e) {
      throw new Msb.UserMistake(
          String.format(Locale.ROOT, "not UTF-8: %s", Table.printable(file.toString())));
    }
  }
}
