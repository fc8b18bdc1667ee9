package dev.microsandbox.cli;

import dev.microsandbox.ImageInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Images that sandboxes are made of.
@Command(
    name = "image",
    description = "Lists and builds images.",
    subcommands = {ImageCommand.List_.class, ImageCommand.Build.class})
final class ImageCommand {
  private ImageCommand() {}

  @Command(
      name = "ls",
      description = "Lists the images that sandboxes can be made of.",
      footer = {"", "Example:", "  msb image ls --json"})
  static final class List_ extends SessionCommand {
    @Option(names = "--json", description = "As JSON.")
    boolean json;

    @Override
    public Integer call() {
      List<ImageInfo> images = session.connect().images();
      if (json) {
        JsonOutput.print(session.out(), images);
        return ExitCode.OK;
      }
      Table table = new Table("NAME", "DIGEST", "SIZE", "LANGUAGES", "AGE");
      for (ImageInfo image : images) {
        table.row(
            image.name(),
            image.digest().replaceFirst("(sha256:.{12}).*", "$1"),
            (image.sizeBytes() >> 20) + " MiB",
            String.join(",", image.languages()),
            Ages.since(image.createdAt()));
      }
      table.print(session.out());
      return ExitCode.OK;
    }
  }

  @Command(
      name = "build",
      description = "Builds the default images on this machine, where their recipes have changed.",
      footer = {"", "Example:", "  msb image build python"})
  static final class Build extends SessionCommand {
    @Parameters(
        paramLabel = "IMAGE",
        defaultValue = "all",
        description = "python, node or all (the default).")
    String image;

    @Option(names = "--force", description = "Build even if nothing has changed.")
    boolean force;

    @Override
    public Integer call() throws IOException, InterruptedException {
      String install = session.environment().get("MSB_INSTALL");
      Path recipe = Path.of(install == null ? "." : install, "images", "build");
      if (!Files.isExecutable(recipe)) {
        throw new Msb.UserMistake("the recipes are not here; run this by the msb of a checkout");
      }
      List<String> command = new ArrayList<>();
      if (!ServerProcess.isRoot()) {
        command.addAll(List.of("sudo", "-n", "--preserve-env=MICROSANDBOX_HOME"));
      }
      command.addAll(List.of(recipe.toString(), image.replaceFirst("^microsandbox/", "")));
      if (force) {
        command.add("--force");
      }
      return new ProcessBuilder(command).inheritIO().start().waitFor();
    }
  }
}
