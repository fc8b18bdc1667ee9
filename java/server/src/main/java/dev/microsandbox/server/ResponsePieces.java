package dev.microsandbox.server;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/// Writes an answer piece by piece. Each waits while the client does not read, for a bounded time.
final class ResponsePieces {
  private final Response response;
  private final Duration stall;

  ResponsePieces(Response response, Duration stall) {
    this.response = response;
    this.stall = stall;
  }

  /// Sends a piece; the buffer can be used again afterwards.
  ///
  /// @throws IOException where the client is gone or does not read
  void write(boolean last, ByteBuffer piece) throws IOException, InterruptedException {
    Callback.Completable written = new Callback.Completable();
    response.write(last, piece, written);
    try {
      written.get(stall.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw new IOException("the client is gone", e.getCause());
    } catch (TimeoutException e) {
      throw new IOException("the client does not read", e);
    }
  }
}
