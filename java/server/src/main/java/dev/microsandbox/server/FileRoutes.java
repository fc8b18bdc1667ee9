package dev.microsandbox.server;

import static java.util.Objects.requireNonNullElse;

import dev.microsandbox.engine.FileSink;
import dev.microsandbox.engine.FileSource;
import dev.microsandbox.engine.FileWrite;
import dev.microsandbox.engine.SandboxService;
import dev.microsandbox.model.SandboxException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;

/// Files of a sandbox, read and written whole, piece by piece: of no file more is in memory than
/// what is under way.
final class FileRoutes {
  private static final String FILES = SandboxRoutes.ONE + "/files";
  private static final Pattern MODE = Pattern.compile("[0-7]{3,4}");
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final int LONGEST_PATH = 4096;

  private final SandboxService service;

  FileRoutes(SandboxService service) {
    this.service = service;
  }

  List<Route> routes() {
    return List.of(
        Route.get(FILES, null, this::read), Route.of("PUT", FILES, null, null, 204, this::write));
  }

  private void read(Exchange exchange) throws IOException, InterruptedException {
    exchange.memory().grow(FileSource.MEMORY, PATIENCE);
    try (FileSource file =
        service.readFile(exchange.caller(), exchange.sandbox(), path(exchange), user(exchange))) {
      exchange.octets(file);
    }
  }

  private void write(Exchange exchange) throws InterruptedException {
    RequestPieces content = exchange.pieces();
    try (FileSink file =
        service.writeFile(exchange.caller(), exchange.sandbox(), request(exchange))) {
      content.each(file::write);
      file.finish();
    } catch (SandboxException e) {
      // Who is still sending reads no answer.
      content.passOver();
      throw e;
    }
    exchange.done();
  }

  private static FileWrite request(Exchange exchange) {
    String mode = requireNonNullElse(exchange.query("mode"), "0644");
    if (!MODE.matcher(mode).matches()) {
      throw Exchange.invalid("mode", "mode is octal, such as 0644");
    }
    String directories = requireNonNullElse(exchange.query("make_directories"), "true");
    if (!directories.equals("true") && !directories.equals("false")) {
      throw Exchange.invalid("make_directories", "make_directories is true or false");
    }
    return new FileWrite(
        path(exchange), Integer.parseInt(mode, 8), directories.equals("true"), user(exchange));
  }

  private static String path(Exchange exchange) {
    String path = exchange.query("path");
    if (path == null || path.isEmpty()) {
      throw Exchange.invalid("path", "the query parameter path is missing");
    }
    if (path.length() > LONGEST_PATH || path.indexOf('\0') >= 0) {
      throw Exchange.invalid("path", "a path has at most 4096 characters and no NUL");
    }
    return path;
  }

  private static String user(Exchange exchange) {
    return requireNonNullElse(exchange.query("user"), "");
  }
}
