package dev.microsandbox;

import java.util.concurrent.CompletableFuture;

/// Reads and writes files of a sandbox without waiting; see [AsyncSandbox].
public final class AsyncFiles {
  private final Files files;

  AsyncFiles(Files files) {
    this.files = files;
  }

  /// See [Files#read(String)].
  public CompletableFuture<byte[]> read(String path) {
    return Async.call(() -> files.read(path));
  }

  /// See [Files#readText(String)].
  public CompletableFuture<String> readText(String path) {
    return Async.call(() -> files.readText(path));
  }

  /// See [Files#write(String, String)].
  public CompletableFuture<Void> write(String path, String content) {
    return Async.run(() -> files.write(path, content));
  }

  /// See [Files#write(String, byte\[\], WriteOptions)].
  public CompletableFuture<Void> write(String path, byte[] content, WriteOptions options) {
    return Async.run(() -> files.write(path, content, options));
  }
}
