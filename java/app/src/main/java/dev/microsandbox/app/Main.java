package dev.microsandbox.app;

import dev.microsandbox.model.SandboxException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import sun.misc.Signal;

/// Starts the server, and ends it: on SIGTERM, as service managers send it, sandboxes go on for the
/// next server unless `keep-sandboxes` says otherwise; on SIGINT, by somebody at a terminal, they
/// end with it; a request says which.
///
/// Exit codes: 0 after an orderly end by request, 128 and the number after one by a signal, 1 where
/// it could not start, 2 for wrong settings.
public final class Main {
  private static final int FAILED = 1;
  private static final int WRONG_SETTINGS = 2;
  private static final int SIGNALED = 128;

  private Main() {}

  /// @param args `--key=value`; see [SettingSources]
  public static void main(String[] args) {
    // First of all: the logging system reads it once, when the first logger is made.
    System.setProperty("java.util.logging.manager", LastingLogManager.class.getName());
    AppSettings settings;
    try {
      settings = AppSettings.of(SettingSources.read(args, System.getenv()));
    } catch (IllegalArgumentException | SandboxException e) {
      throw quit(WRONG_SETTINGS, String.valueOf(e.getMessage()));
    }
    try {
      serve(settings);
    } catch (SandboxException e) {
      log().log(System.Logger.Level.DEBUG, "not started", e);
      throw quit(FAILED, e.message());
    } catch (RuntimeException e) {
      log().log(System.Logger.Level.ERROR, "not started", e);
      throw quit(FAILED, String.valueOf(e.getMessage()));
    }
  }

  private static void serve(AppSettings settings) {
    ServerLog.open(settings);
    CountDownLatch ended = new CountDownLatch(1);
    AtomicBoolean keep = new AtomicBoolean(settings.keepSandboxes());
    Wiring wiring =
        Wiring.open(
            settings,
            keepSandboxes -> {
              keep.set(keepSandboxes);
              endLater(0);
            });
    Signal.handle(
        new Signal("INT"),
        signal -> {
          keep.set(false);
          endLater(SIGNALED + signal.getNumber());
        });
    Runtime.getRuntime()
        .addShutdownHook(
            Thread.ofPlatform()
                .name("shutdown")
                .unstarted(() -> {
                  wiring.close(keep.get());
                  log().log(System.Logger.Level.INFO, "ended");
                  ended.countDown();
                }));
    String ready = "microsandbox " + AppSettings.version() + " listens on " + wiring.addresses();
    log().log(System.Logger.Level.INFO, ready);
    System.out.println(ready);
    awaitEnd(ended);
  }

  /// Not a constant, which would be made before `main` has named the log's manager.
  private static System.Logger log() {
    return System.getLogger(Main.class.getName());
  }

  private static void awaitEnd(CountDownLatch ended) {
    try {
      ended.await();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /// The end by request goes the same way as the end by signal.
  private static void endLater(int code) {
    Thread.ofPlatform().name("end").start(() -> System.exit(code));
  }

  private static RuntimeException quit(int code, String message) {
    System.err.println("microsandbox: " + message);
    System.exit(code);
    return new IllegalStateException("unreachable");
  }
}
