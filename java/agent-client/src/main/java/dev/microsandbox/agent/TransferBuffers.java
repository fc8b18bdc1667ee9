package dev.microsandbox.agent;

import java.nio.ByteBuffer;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/// Buffers for files on their way out. Large ones lie outside of the heap, so that the socket takes
/// them without a copy, and a few are kept: their memory is dear to get anew.
final class TransferBuffers {
  private static final int SMALL = 64 * 1024;
  private static final int MOST_KEPT = 8;
  private static final ConcurrentLinkedQueue<ByteBuffer> KEPT = new ConcurrentLinkedQueue<>();
  private static final AtomicInteger COUNT = new AtomicInteger();

  private TransferBuffers() {}

  /// A buffer with room for so many bytes, a download's window at most.
  static ByteBuffer take(int bytes) {
    if (bytes <= SMALL) {
      return ByteBuffer.allocate(bytes);
    }
    ByteBuffer kept = KEPT.poll();
    if (kept == null) {
      return ByteBuffer.allocateDirect(DownloadStream.WINDOW);
    }
    COUNT.decrementAndGet();
    return kept.clear();
  }

  /// A buffer that nobody uses any more.
  static void giveBack(ByteBuffer buffer) {
    if (!buffer.isDirect()) {
      return;
    }
    if (COUNT.incrementAndGet() > MOST_KEPT) {
      COUNT.decrementAndGet();
    } else {
      KEPT.add(buffer);
    }
  }
}
