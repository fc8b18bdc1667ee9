package dev.microsandbox.agent;

import java.util.function.IntConsumer;

/// How much the other end may still send on one stream.
///
/// The window's capacity is taken from the channel's pool and is at any time the sum of what may
/// still come, what has come and is not yet taken, and what has been taken but not yet granted
/// anew. So what a slow consumer holds is bounded by the pool as well. Guarded by the channel's
/// lock.
final class ReceiveWindow {
  static final int MAX_INITIAL = 256 * 1024;
  static final int MAX = 1 << 20;

  private final CreditPool pool;
  private final IntConsumer announce;
  private int capacity;
  private int mayCome;
  private int untaken;
  private int unannounced;
  private int wished;
  private boolean closed;

  /// @param announce sends a CREDIT of so many bytes
  ReceiveWindow(CreditPool pool, IntConsumer announce) {
    this.pool = pool;
    this.announce = announce;
  }

  /// Takes room for a stream that is being opened; returns what to write into OPEN or OPENED. What
  /// the pool cannot give now is announced later.
  int open(int wanted) {
    int asked = Math.clamp(wanted, 0, MAX_INITIAL);
    mayCome = pool.take(asked);
    capacity = mayCome;
    wish(asked - mayCome);
    return mayCome;
  }

  /// Notes that bytes have come.
  void received(int bytes) throws BrokenRuleException {
    BrokenRuleException.require(
        bytes <= mayCome, bytes + " bytes of DATA where " + mayCome + " were granted");
    mayCome -= bytes;
    untaken += bytes;
  }

  /// Lets more bytes come: as many as have been taken, and beyond that as far as the pool can spare
  /// them. Small amounts are gathered before they are announced.
  void grant(int bytes) {
    if (closed || bytes <= 0) {
      return;
    }
    int back = Math.min(bytes, untaken);
    untaken -= back;
    unannounced += back;
    int growth = pool.takeSpare(Math.min(bytes - back, MAX - capacity - wished));
    capacity += growth;
    unannounced += growth;
    if (unannounced > 0 && (growth > 0 || unannounced >= capacity / 4)) {
      announceAll();
    }
  }

  /// Called by the pool when it has room; says whether the wish is fulfilled.
  boolean growFromPool() {
    int room = pool.take(wished);
    wished -= room;
    capacity += room;
    unannounced += room;
    announceAll();
    return wished == 0;
  }

  void close() {
    if (!closed) {
      closed = true;
      pool.giveBack(this, capacity);
    }
  }

  private void wish(int bytes) {
    if (bytes > 0) {
      wished += bytes;
      pool.waitForRoom(this);
    }
  }

  private void announceAll() {
    int now = unannounced;
    unannounced = 0;
    mayCome += now;
    announce.accept(now);
  }
}
