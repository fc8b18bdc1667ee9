package dev.microsandbox.engine;

import dev.microsandbox.model.ImageReference;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/// A server process that begins an operation and dies on the way, as by kill -9; see
/// [CrashPointsIT]. Arguments: home, operation, the number of the store's entry after which to die.
final class CrashingServer {
  /// Dead in the middle.
  static final int KILLED = 137;

  private CrashingServer() {}

  /// What is cut short.
  enum Operation {
    CREATE,
    CLAIM,
    START,
    RUN,
    STOP,
    STOP_EPHEMERAL,
    DELETE
  }

  public static void main(String[] arguments) throws InterruptedException {
    Operation operation = Operation.valueOf(arguments[1]);
    RealEngine server = new RealEngine(Path.of(arguments[0]), settings(operation));
    SandboxRef box = server.create("box", operation == Operation.STOP_EPHEMERAL);
    if (operation == Operation.START) {
      server.engine.stop(RealEngine.ME, box);
    } else {
      server.command(box, "sh", "-c", "echo kept > note");
    }
    if (operation == Operation.CLAIM) {
      fillPool(server);
    }
    server.engine.journal().write();
    AtomicInteger left = new AtomicInteger(Integer.parseInt(arguments[2]));
    server
        .engine
        .database()
        .onEntry(moment -> {
          if (moment == Database.Moment.AFTER_ENTRY && left.decrementAndGet() == 0) {
            Runtime.getRuntime().halt(KILLED);
          }
        });
    perform(operation, server, box);
    System.out.println("through");
    System.out.flush();
    Runtime.getRuntime().halt(0);
  }

  private static Map<String, String> settings(Operation operation) {
    return operation == Operation.CLAIM
        ? Map.of("pool", "on", "pool-min", "0", "pool-rate", "100")
        : Map.of();
  }

  /// Keeps one ready.
  private static void fillPool(RealEngine server) throws InterruptedException {
    var _ =
        server.engine.setPool(
            new PoolService.PoolBounds(
                ImageReference.PYTHON,
                null,
                RealEngine.spec("any", ImageReference.PYTHON, false).limits(),
                1,
                1));
    EngineFixture.until(() -> {
      server.engine.tendPools();
      return server.engine.pools().stream().anyMatch(pool -> pool.ready() == 1);
    });
  }

  private static void perform(Operation operation, RealEngine server, SandboxRef box)
      throws InterruptedException {
    switch (operation) {
      case CREATE, CLAIM -> {
        SandboxRef _ = server.create("new", false);
      }
      case START -> server.engine.start(RealEngine.ME, box);
      case RUN -> run(server, box);
      case STOP, STOP_EPHEMERAL -> server.engine.stop(RealEngine.ME, box);
      case DELETE -> server.engine.delete(RealEngine.ME, box);
    }
  }

  /// Tells the run's id as soon as a client would know it.
  private static void run(RealEngine server, SandboxRef box) throws InterruptedException {
    RunStream run =
        server.engine.stream(
            RealEngine.ME, box, CommandRequest.of("sh", "-c", "echo one; sleep 1; echo two"));
    RunEvent event = run.next(Duration.ofSeconds(60));
    System.out.println("run " + run.id());
    System.out.flush();
    while (!(event instanceof RunEvent.Finished)) {
      event = run.next(Duration.ofSeconds(60));
    }
    server.engine.journal().write();
  }
}
