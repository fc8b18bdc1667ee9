package dev.microsandbox;

import java.util.List;
import java.util.concurrent.CompletableFuture;

/// The contexts of a sandbox without waiting; see [AsyncSandbox].
public final class AsyncContexts {
  private final Contexts contexts;

  AsyncContexts(Contexts contexts) {
    this.contexts = contexts;
  }

  /// See [Contexts#open(String, ContextOptions)].
  public CompletableFuture<Context> open(String language, ContextOptions options) {
    return Async.call(() -> contexts.open(language, options));
  }

  /// See [Contexts#list()].
  public CompletableFuture<List<ContextInfo>> list() {
    return Async.call(contexts::list);
  }

  /// See [Contexts#close(String)].
  public CompletableFuture<Void> close(String id) {
    return Async.run(() -> contexts.close(id));
  }
}
