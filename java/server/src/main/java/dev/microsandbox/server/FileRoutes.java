package dev.microsandbox.server;

import static java.util.Objects.requireNonNullElse;

import dev.microsandbox.engine.FileWrite;
import dev.microsandbox.engine.SandboxRef;
import dev.microsandbox.engine.SandboxService;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;

/// Small files of a sandbox, read and written whole.
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
        Route.get(FILES, null, this::read),
        new Route("PUT", FILES, Access.CALLER, null, null, 204, this::write));
  }

  private void read(Exchange exchange) throws InterruptedException {
    SandboxRef sandbox = exchange.sandbox();
    // How large the file is, only the sandbox knows.
    exchange.memory().grow(exchange.limits().fileBytes(), PATIENCE);
    exchange.octets(service.readFile(exchange.caller(), sandbox, path(exchange), user(exchange)));
  }

  private void write(Exchange exchange) throws InterruptedException {
    String mode = requireNonNullElse(exchange.query("mode"), "0644");
    if (!MODE.matcher(mode).matches()) {
      throw Exchange.invalid("mode", "mode is octal, such as 0644");
    }
    String directories = requireNonNullElse(exchange.query("make_directories"), "true");
    if (!directories.equals("true") && !directories.equals("false")) {
      throw Exchange.invalid("make_directories", "make_directories is true or false");
    }
    String path = path(exchange);
    FileWrite file =
        new FileWrite(
            path,
            exchange.bytes(),
            Integer.parseInt(mode, 8),
            directories.equals("true"),
            user(exchange));
    service.writeFile(exchange.caller(), exchange.sandbox(), file);
    exchange.done();
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
