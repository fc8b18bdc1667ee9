package dev.microsandbox.server;

import static java.util.Objects.requireNonNullElse;

import dev.microsandbox.engine.CommandRequest;
import dev.microsandbox.engine.RunEvent;
import dev.microsandbox.engine.RunHandle;
import dev.microsandbox.engine.RunRequest;
import dev.microsandbox.engine.RunResult;
import dev.microsandbox.engine.RunStream;
import dev.microsandbox.engine.SandboxRef;
import dev.microsandbox.engine.SandboxService;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.Language;
import dev.microsandbox.model.SandboxException;
import dev.microsandbox.server.RequestBodies.RunCell;
import dev.microsandbox.server.RequestBodies.RunCommand;
import dev.microsandbox.server.RequestBodies.Signal;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Cells and commands: run, follow, interrupt.
final class RunRoutes {
  private static final String RUNS = SandboxRoutes.ONE + "/runs";
  private static final String COMMANDS = SandboxRoutes.ONE + "/commands";

  /// Characters of an answer that is written by the thread that other sandboxes wait for.
  private static final int SHORT = 16 * 1024;

  private static final Duration FIRST_EVENT = Duration.ofSeconds(1);

  private final SandboxService service;
  private final ClientWatch clients;

  RunRoutes(SandboxService service, ClientWatch clients) {
    this.service = service;
    this.clients = clients;
  }

  List<Route> routes() {
    Class<?> run = RunBodies.Run.class;
    return List.of(
        Route.post(RUNS, RunCell.class, run, 200, this::runCell).orAtOnce(this::runCellAtOnce),
        Route.get(RUNS + "/{run}", run, this::attach),
        Route.post(RUNS + "/{run}/interrupt", null, null, 204, this::interrupt),
        Route.post(COMMANDS, RunCommand.class, run, 200, this::runCommand),
        Route.post(COMMANDS + "/{run}/signal", Signal.class, null, 204, this::signal));
  }

  private void runCell(Exchange exchange) throws InterruptedException {
    SandboxRef sandbox = exchange.sandbox();
    boolean base64 = base64(exchange);
    RunRequest request = cell(exchange, sandbox);
    if (exchange.wantsEvents()) {
      stream(exchange, service.stream(exchange.caller(), sandbox, request), base64);
    } else {
      answerAtEnd(exchange, service.run(exchange.caller(), sandbox, request));
    }
  }

  /// The same by the thread that reads all connections: to wake one for each cell takes as long as
  /// a good part of the cell's way.
  private boolean runCellAtOnce(Exchange exchange) throws InterruptedException {
    if (exchange.wantsEvents() || !exchange.bodyIsThere()) {
      return false;
    }
    SandboxRef sandbox = exchange.sandbox();
    boolean _ = base64(exchange);
    Optional<RunHandle> run = service.runNow(exchange.caller(), sandbox, cell(exchange, sandbox));
    run.ifPresent(begun -> answerAtEnd(exchange, begun));
    return run.isPresent();
  }

  private RunRequest cell(Exchange exchange, SandboxRef sandbox) throws InterruptedException {
    RunCell wanted = exchange.body(RunCell.class);
    return new RunRequest(
        context(exchange, sandbox, wanted),
        wanted.code(),
        Amounts.seconds(wanted.timeout(), "timeout"),
        requireNonNullElse(wanted.keepRunning(), false),
        wanted.outputLimit());
  }

  private String context(Exchange exchange, SandboxRef sandbox, RunCell wanted) {
    if (wanted.context() != null) {
      if (wanted.language() != null) {
        throw Exchange.invalid("language", "give language or context, not both");
      }
      return wanted.context();
    }
    if (wanted.language() != null) {
      return Language.parse(wanted.language()).wireName();
    }
    List<Language> languages = service.get(exchange.caller(), sandbox).languages();
    if (languages.isEmpty()) {
      throw new SandboxException(
          ErrorCode.UNKNOWN_LANGUAGE, "the sandbox's image has no interpreter");
    }
    return languages.getFirst().wireName();
  }

  private void runCommand(Exchange exchange) throws InterruptedException {
    RunCommand wanted = exchange.body(RunCommand.class);
    boolean base64 = base64(exchange);
    CommandRequest request = request(wanted);
    if (exchange.wantsEvents()) {
      stream(exchange, service.stream(exchange.caller(), exchange.sandbox(), request), base64);
    } else {
      answerAtEnd(exchange, service.command(exchange.caller(), exchange.sandbox(), request));
    }
  }

  /// The analysis does not see in a class file that the input may be null.
  @SuppressWarnings("NullAway")
  private static CommandRequest request(RunCommand wanted) {
    return new CommandRequest(
        argv(wanted.argv()),
        SandboxRoutes.pairs(wanted.env(), "env"),
        requireNonNullElse(wanted.workingDirectory(), ""),
        requireNonNullElse(wanted.user(), ""),
        stdin(wanted),
        false,
        Amounts.seconds(wanted.timeout(), "timeout"),
        requireNonNullElse(wanted.keepRunning(), false),
        wanted.outputLimit());
  }

  private static List<String> argv(List<@Nullable String> words) {
    for (String word : words) {
      if (word == null) {
        throw Exchange.invalid("argv", "a word of argv is null");
      }
    }
    return List.copyOf(words);
  }

  private static byte @Nullable [] stdin(RunCommand wanted) {
    if (wanted.stdin() != null && wanted.stdinBase64() != null) {
      throw Exchange.invalid("stdin", "give stdin or stdin_base64, not both");
    }
    if (wanted.stdinBase64() != null) {
      try {
        return Base64.getDecoder().decode(wanted.stdinBase64());
      } catch (IllegalArgumentException _) {
        throw Exchange.invalid("stdin_base64", "stdin_base64 is not base64");
      }
    }
    return wanted.stdin() == null ? null : wanted.stdin().getBytes(StandardCharsets.UTF_8);
  }

  private void attach(Exchange exchange) throws InterruptedException {
    boolean base64 = base64(exchange);
    long offset = exchange.number("offset", 0, Long.MAX_VALUE, lastEventId(exchange));
    RunStream run = service.attach(exchange.caller(), exchange.sandbox(), exchange.run(), offset);
    if (exchange.wantsEvents()) {
      stream(exchange, run, base64);
    } else {
      collect(exchange, run);
    }
  }

  private static long lastEventId(Exchange exchange) {
    String text = exchange.header("Last-Event-ID");
    try {
      return text == null || text.isEmpty() ? 0 : Math.max(0, Long.parseLong(text));
    } catch (NumberFormatException _) {
      throw Exchange.invalid("Last-Event-ID", "Last-Event-ID is not an offset");
    }
  }

  private static boolean base64(Exchange exchange) {
    String encoding = requireNonNullElse(exchange.query("encoding"), "text");
    return switch (encoding) {
      case "text" -> false;
      case "base64" -> true;
      default -> throw Exchange.invalid("encoding", "encoding is text or base64");
    };
  }

  /// No thread waits for the end: the one that hears of it answers, as long as the answer is short,
  /// for others wait for that thread.
  private void answerAtEnd(Exchange exchange, RunHandle run) {
    ClientWatch.Watched client = clients.watch(exchange.request(), run::abandon);
    run.ended()
        .whenComplete((result, failure) -> {
          client.close();
          if (failure != null) {
            exchange.fail(failure);
          } else if (length(result) > SHORT) {
            Thread.startVirtualThread(() -> answer(exchange, run, result));
          } else {
            answer(exchange, run, result);
          }
        });
  }

  private static int length(RunResult result) {
    int length = result.stdout().text().length() + result.stderr().text().length();
    for (String form : result.result().values()) {
      length += form.length();
    }
    RunResult.RunError error = result.error();
    return error == null ? length : length + error.message().length() + error.traceback().length();
  }

  private static void answer(Exchange exchange, RunHandle run, RunResult result) {
    try {
      exchange.header("Msb-Run-Id", run.id().value());
      exchange.json(RunBodies.Run.of(result));
    } catch (RuntimeException e) {
      exchange.fail(e);
    }
  }

  private void collect(Exchange exchange, RunStream run) throws InterruptedException {
    RunBodies.Run result;
    try (run;
        ClientWatch.Watched client = clients.watch(exchange.request(), run::abandon)) {
      result = new CollectedRun(run).await(client);
    }
    exchange.header("Msb-Run-Id", run.id().value());
    exchange.json(result);
  }

  private void stream(Exchange exchange, RunStream run, boolean base64)
      throws InterruptedException {
    IOException failure;
    try (run;
        ClientWatch.Watched client = clients.watch(exchange.request(), run::abandon)) {
      failure = carry(exchange, run, client, base64);
    }
    if (failure == null) {
      exchange.callback().succeeded();
    } else {
      exchange.callback().failed(failure);
    }
  }

  /// Gives what a client that has gone made fail, or null.
  private static @Nullable IOException carry(
      Exchange exchange, RunStream run, ClientWatch.Watched client, boolean base64)
      throws InterruptedException {
    try {
      RunEvent first = run.next(FIRST_EVENT);
      exchange.header("Msb-Run-Id", run.id().value());
      EventStream events = new EventStream(exchange.response(), exchange.limits().stall());
      new RunEvents(run, events, base64).carry(first, client);
      return null;
    } catch (IOException gone) {
      // Here and not later: a run that has been closed was left by one who does not mind.
      run.abandon();
      return gone;
    }
  }

  private void interrupt(Exchange exchange) throws InterruptedException {
    exchange.ignoreBody();
    service.interrupt(exchange.caller(), exchange.sandbox(), exchange.run());
    exchange.done();
  }

  private void signal(Exchange exchange) throws InterruptedException {
    Signal wanted = exchange.body(Signal.class);
    if (wanted.signal() < 1 || wanted.signal() > 64) {
      throw Exchange.invalid("signal", "signal is a number from 1 to 64");
    }
    service.signal(
        exchange.caller(),
        exchange.sandbox(),
        exchange.run(),
        wanted.signal(),
        requireNonNullElse(wanted.group(), true));
    exchange.done();
  }
}
