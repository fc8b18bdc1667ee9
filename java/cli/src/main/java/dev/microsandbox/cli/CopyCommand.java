package dev.microsandbox.cli;

import dev.microsandbox.WriteOptions;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PushbackInputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/// A file into a sandbox, or out of it.
@Command(
    name = "cp",
    description = "Copies a file into a sandbox or out of it.",
    footer = {
      "",
      "Examples:",
      "  msb cp data.csv demo:data.csv",
      "  msb cp demo:/etc/os-release -",
      "  echo 'print(1)' | msb cp --mode 755 - demo:bin/one"
    })
final class CopyCommand extends SandboxCommand {
  private static final String STANDARD = "-";

  @Parameters(
      index = "0",
      paramLabel = "FROM",
      description = "A file here, or SANDBOX:PATH; - for standard input.")
  String from;

  @Parameters(
      index = "1",
      paramLabel = "TO",
      description = "The other of the two; - for standard output, a folder here keeps the name.")
  String to;

  @Option(
      names = {"-u", "--user"},
      description = "With whose rights in there: sandbox (the default) or root.")
  @Nullable String user;

  @Option(
      names = "--mode",
      paramLabel = "OCTAL",
      converter = ModeConverter.class,
      description = "Permissions of the file in there (644).")
  @Nullable Integer mode;

  @Option(names = "--no-make-directories", description = "Fail where a folder in there is missing.")
  boolean noMakeDirectories;

  @Override
  public Integer call() throws IOException {
    Place source = Place.of(from);
    Place target = Place.of(to);
    if ((source == null) == (target == null)) {
      throw new Msb.UserMistake("one of the two must be in a sandbox: write SANDBOX:PATH");
    }
    if (target != null) {
      WriteOptions options = WriteOptions.DEFAULT.withMakeDirectories(!noMakeDirectories);
      options = mode == null ? options : options.withMode(mode);
      options = user == null ? options : options.withUser(user);
      send(sandbox(target.sandbox).files(), target.path, options);
    } else if (source != null) {
      var files = sandbox(source.sandbox).files();
      receive(
          source.path,
          to -> user == null ? files.read(source.path, to) : files.read(source.path, user, to));
    }
    return ExitCode.OK;
  }

  private void send(dev.microsandbox.Files files, String path, WriteOptions options)
      throws IOException {
    try (InputStream input =
        from.equals(STANDARD) ? System.in : Files.newInputStream(Path.of(from))) {
      // Tells a folder, which can be opened and not read, before anything is sent.
      PushbackInputStream content = new PushbackInputStream(input);
      int first = content.read();
      if (first >= 0) {
        content.unread(first);
      }
      files.write(path, content, options);
    } catch (IOException e) {
      throw new Msb.UserMistake("cannot be read: " + Table.printable(from));
    }
  }

  /// Writes a file to a stream.
  private interface Reading {
    long into(OutputStream to) throws IOException;
  }

  private void receive(String path, Reading reading) throws IOException {
    if (to.equals(STANDARD)) {
      reading.into(session.out());
      return;
    }
    Path file = Path.of(to);
    if (Files.isDirectory(file)) {
      file = file.resolve(path.substring(path.lastIndexOf('/') + 1));
    }
    try {
      if (Files.exists(file) && !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
        try (OutputStream out = Files.newOutputStream(file)) {
          reading.into(out);
        }
      } else {
        replace(file, reading);
      }
    } catch (FileSystemException e) {
      throw new Msb.UserMistake("cannot be written: " + Table.printable(file.toString()));
    }
  }

  /// All of it or none: beside the file, then in its place.
  private static void replace(Path file, Reading reading) throws IOException {
    Path part =
        file.resolveSibling("." + file.getFileName() + ".msb-" + ProcessHandle.current().pid());
    try {
      try (OutputStream out = Files.newOutputStream(part)) {
        reading.into(out);
      }
      if (Files.exists(file)) {
        Files.setPosixFilePermissions(part, Files.getPosixFilePermissions(file));
      }
      Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(part);
    }
  }

  /// A path in a sandbox, written as its name or id, a colon, and the path.
  record Place(String sandbox, String path) {
    /// Null for a file of this machine: without a colon, or with a slash before it.
    static @Nullable Place of(String text) {
      int colon = text.indexOf(':');
      return colon <= 0 || text.lastIndexOf('/', colon) >= 0
          ? null
          : new Place(text.substring(0, colon), text.substring(colon + 1));
    }
  }

  /// Reads permissions in octal.
  static final class ModeConverter implements ITypeConverter<Integer> {
    private static final int OCTAL = 8;

    @Override
    public Integer convert(String text) {
      if (!text.matches("[0-7]{3,4}")) {
        throw new TypeConversionException("'" + text + "' is no mode; write 644 or 0755");
      }
      return Integer.valueOf(text, OCTAL);
    }
  }
}
