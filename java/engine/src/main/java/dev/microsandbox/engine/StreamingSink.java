package dev.microsandbox.engine;

import dev.microsandbox.model.SandboxException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Queues a run's events for one reader. What is queued is bounded by the window that the agent was
/// granted, which grows only by what the reader takes.
///
/// Once released (the run is being stopped, or its reader is gone) the program is no longer held
/// up, and output past what may be queued is dropped: the offsets of the events show where.
final class StreamingSink implements RunSink {
  private static final int MOST_RELEASED = 1024 * 1024;
  private static final int MOST_EVENTS = 256;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Deque<Object> queue = new ArrayDeque<>();
  private int queuedBytes;
  private int others;
  private int held;
  private boolean released;
  private boolean over;
  private @Nullable SandboxException failure;

  /// An event, and how many bytes more may come now that it has been taken.
  record Taken(@Nullable RunEvent event, int grant) {}

  Taken next(Duration patience) throws InterruptedException {
    long left = patience.toNanos();
    lock.lockInterruptibly();
    try {
      while (queue.isEmpty()) {
        if (failure != null) {
          throw failure;
        }
        if (over || left <= 0) {
          return new Taken(null, 0);
        }
        left = changed.awaitNanos(left);
      }
      return take(queue.removeFirst());
    } finally {
      lock.unlock();
    }
  }

  private Taken take(Object first) {
    if (first instanceof OutputSegment segment) {
      RunEvent.Output output = segment.event();
      queuedBytes -= output.bytes().length;
      int grant = Math.min(held, output.bytes().length);
      held -= grant;
      return new Taken(output, grant);
    }
    others--;
    return new Taken((RunEvent) first, 0);
  }

  @Override
  public void started() {
    add(new RunEvent.Started());
  }

  @Override
  public int output(RunEvent.Source source, ByteBuffer bytes, long offset) {
    int size = bytes.remaining();
    lock.lock();
    try {
      if (released && queuedBytes + size > MOST_RELEASED) {
        return size;
      }
      queuedBytes += size;
      if (!(queue.peekLast() instanceof OutputSegment last && last.append(source, bytes, offset))) {
        queue.addLast(new OutputSegment(source, bytes, offset));
      }
      changed.signal();
      if (released) {
        return size;
      }
      held += size;
      return 0;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void result(Map<String, String> data, List<String> omitted) {
    add(new RunEvent.Result(data, omitted));
  }

  @Override
  public void raised(RunResult.RunError error) {
    add(new RunEvent.Raised(error));
  }

  @Override
  public void finished(RunEvent.Finished end) {
    lock.lock();
    try {
      if (!over) {
        over = true;
        others++;
        queue.addLast(end);
        changed.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void failed(SandboxException reason) {
    lock.lock();
    try {
      if (!over) {
        over = true;
        failure = reason;
        changed.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public int release() {
    lock.lock();
    try {
      released = true;
      int grant = held;
      held = 0;
      return grant;
    } finally {
      lock.unlock();
    }
  }

  /// The reader is gone: what is queued is of no use.
  void clear() {
    lock.lock();
    try {
      queue.clear();
      queuedBytes = 0;
      others = 0;
      over = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void add(RunEvent event) {
    lock.lock();
    try {
      if (!over && others < MOST_EVENTS) {
        others++;
        queue.addLast(event);
        changed.signal();
      }
    } finally {
      lock.unlock();
    }
  }
}
