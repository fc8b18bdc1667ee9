package dev.microsandbox.server;

import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;

/// A request's body, as it comes. It may take as long as it likes while it gets on: within each
/// span of the time limit a certain amount has to come, or the end. One byte every few seconds does
/// not hold a sandbox's file open for ever.
final class RequestPieces {
  private static final int PROGRESS = 64 * 1024;

  private static final long PASSED_OVER = 64 << 20;

  private final Request request;
  private final Duration time;
  private long deadline;
  private long sinceProgress;
  private boolean begun;
  private boolean ended;

  RequestPieces(Request request, Duration time) {
    this.request = request;
    this.time = time;
  }

  /// Takes a piece, all of it, before it returns.
  interface Taker {
    void take(ByteBuffer piece);
  }

  /// Hands on all pieces. The time that the taker needs is none of the client's.
  ///
  /// @throws SandboxException `request_timeout`, or what is wrong with the request
  void each(Taker taker) throws InterruptedException {
    begun = true;
    renew();
    while (!ended) {
      Content.Chunk chunk = request.read();
      if (chunk == null) {
        waitForMore();
        continue;
      }
      if (Content.Chunk.isFailure(chunk)) {
        ended = true;
        throw Failures.coded(chunk.getFailure());
      }
      ended = chunk.isLast();
      hand(chunk, taker);
    }
  }

  private void hand(Content.Chunk chunk, Taker taker) {
    try {
      ByteBuffer piece = chunk.getByteBuffer();
      sinceProgress += piece.remaining();
      if (piece.hasRemaining()) {
        long began = System.nanoTime();
        taker.take(piece);
        deadline += System.nanoTime() - began;
      }
      if (sinceProgress >= PROGRESS) {
        renew();
      }
    } finally {
      chunk.release();
    }
  }

  /// Reads on and forgets, so that a client that is still sending gets to reading its answer: up to
  /// an amount, and for the time limit at most. One that waits to be asked for its body is not
  /// asked.
  void passOver() throws InterruptedException {
    if (!begun && request.getHeaders().contains(HttpHeader.EXPECT)) {
      return;
    }
    long end = System.nanoTime() + time.toNanos();
    deadline = end;
    long left = PASSED_OVER;
    while (!ended && left > 0 && System.nanoTime() - end < 0) {
      Content.Chunk chunk = request.read();
      if (chunk == null) {
        if (!awaitMore()) {
          return;
        }
        continue;
      }
      left -= chunk.remaining();
      ended = chunk.isLast() || Content.Chunk.isFailure(chunk);
      chunk.release();
    }
  }

  private void renew() {
    sinceProgress = 0;
    deadline = System.nanoTime() + time.toNanos();
  }

  private void waitForMore() throws InterruptedException {
    if (!awaitMore()) {
      ended = true;
      throw new SandboxException(ErrorCode.REQUEST_TIMEOUT, "the body did not arrive in time");
    }
  }

  private boolean awaitMore() throws InterruptedException {
    CountDownLatch more = new CountDownLatch(1);
    request.demand(more::countDown);
    return more.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
  }
}
