package dev.microsandbox.server;

import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.util.BufferUtil;

/// Reads a request's whole body within a size and a time.
final class BodyReader {
  private final Request request;
  private final int limit;
  private final long deadline;
  private final BodyBudget.Share share;
  private final ByteArrayOutputStream whole;
  private boolean complete;

  /// @param time from now to the body's last byte
  BodyReader(Request request, int limit, Duration time, BodyBudget.Share share) {
    this.share = share;
    this.request = request;
    this.limit = limit;
    this.deadline = System.nanoTime() + time.toNanos();
    long announced = request.getHeaders().getLongField(HttpHeader.CONTENT_LENGTH);
    if (announced > limit) {
      throw tooLarge(limit);
    }
    whole = new ByteArrayOutputStream((int) Math.clamp(announced, 0, 64 * 1024));
  }

  /// The whole body; the same again when asked again.
  byte[] readAll() throws InterruptedException {
    while (!readWhatIsThere()) {
      waitForMore();
    }
    return whole.toByteArray();
  }

  /// @return whether that is all of it
  boolean readWhatIsThere() {
    while (!complete) {
      Content.Chunk chunk = request.read();
      if (chunk == null) {
        return false;
      }
      if (Content.Chunk.isFailure(chunk)) {
        throw Failures.coded(chunk.getFailure());
      }
      complete = chunk.isLast();
      append(chunk);
      if (!complete && System.nanoTime() - deadline > 0) {
        throw late();
      }
    }
    return true;
  }

  private void append(Content.Chunk chunk) {
    try {
      if (whole.size() + chunk.remaining() > limit) {
        throw tooLarge(limit);
      }
      share.grow(chunk.remaining());
      whole.writeBytes(BufferUtil.toArray(chunk.getByteBuffer()));
    } finally {
      chunk.release();
    }
  }

  private void waitForMore() throws InterruptedException {
    CountDownLatch more = new CountDownLatch(1);
    request.demand(more::countDown);
    if (!more.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
      throw late();
    }
  }

  private static SandboxException late() {
    return new SandboxException(ErrorCode.REQUEST_TIMEOUT, "the body did not arrive in time");
  }

  private static SandboxException tooLarge(int limit) {
    return new SandboxException(
        ErrorCode.BODY_TOO_LARGE,
        "the body has more than " + limit / (1024 * 1024) + " MiB",
        Map.of("limit", limit));
  }
}
