package dev.microsandbox;

import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/// Makes futures of calls that wait.
final class Async {
  private Async() {}

  /// Makes the call on a virtual thread. Cancelling the future interrupts that thread, which ends
  /// the call.
  static <T> CompletableFuture<T> call(Supplier<? extends T> call) {
    CompletableFuture<T> future = new CompletableFuture<>();
    Thread thread =
        Thread.ofVirtual()
            .name("microsandbox-call")
            .unstarted(() -> {
              try {
                future.complete(call.get());
              } catch (RuntimeException | Error e) {
                future.completeExceptionally(e);
              }
            });
    future.whenComplete((value, failure) -> {
      if (future.isCancelled()) {
        thread.interrupt();
      }
    });
    thread.start();
    return future;
  }

  static CompletableFuture<Void> run(Runnable call) {
    return call(() -> {
      call.run();
      return null;
    });
  }
}
