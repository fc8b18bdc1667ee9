package dev.microsandbox.engine;

import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;

/// A server process that makes sandboxes and then waits to be killed; see [EngineIT].
final class KilledServer {
  private KilledServer() {}

  public static void main(String[] arguments) throws InterruptedException {
    RealEngine server = new RealEngine(Path.of(arguments[0]));
    SandboxRef lasting = server.create("lasting", false);
    server.command(lasting, "sh", "-c", "echo kept > note");
    SandboxRef gone = server.create("gone", true);
    RunHandle run = server.engine.run(RealEngine.ME, gone, RunRequest.of("python", "while 1: 1"));
    System.out.println(
        "ready "
            + server.engine.get(RealEngine.ME, lasting).id()
            + " "
            + server.engine.get(RealEngine.ME, gone).id()
            + " "
            + run.id());
    System.out.flush();
    new CountDownLatch(1).await();
  }
}
