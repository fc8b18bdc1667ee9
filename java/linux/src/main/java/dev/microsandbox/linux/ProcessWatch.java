package dev.microsandbox.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ForkJoinPool;

/// One thread that learns of the ends of any number of processes, by their pidfds.
public final class ProcessWatch implements AutoCloseable {
  private static final Duration LONG = Duration.ofMinutes(10);
  private static final long NONBLOCKING = 0x800;

  private final Descriptor wake;
  private final Thread thread;
  private final Map<Descriptor, CompletableFuture<Void>> watched = new LinkedHashMap<>();
  private volatile boolean closed;

  private ProcessWatch(Descriptor wake) {
    this.wake = wake;
    this.thread = Thread.ofPlatform().daemon().name("process-watch").unstarted(this::watch);
  }

  public static ProcessWatch open() throws LinuxException {
    long flags = NONBLOCKING | Kernel.O_CLOEXEC;
    ProcessWatch created =
        new ProcessWatch(
            new Descriptor(Kernel.call("cannot make an eventfd", Syscall.EVENTFD2, 0, flags)));
    created.thread.start();
    return created;
  }

  /// Completes on the process's end; the pidfd is closed then.
  CompletableFuture<Void> ended(Descriptor pidfd) {
    CompletableFuture<Void> future = new CompletableFuture<>();
    synchronized (watched) {
      watched.put(pidfd, future);
    }
    signal();
    return future;
  }

  private void watch() {
    try {
      while (!closed) {
        List<Descriptor> all;
        synchronized (watched) {
          all = new ArrayList<>(watched.keySet());
        }
        waitOnce(all);
      }
    } catch (LinuxException e) {
      throw new IllegalStateException(e);
    } finally {
      synchronized (watched) {
        watched.keySet().forEach(Descriptor::close);
        watched.clear();
      }
      wake.close();
    }
  }

  private void waitOnce(List<Descriptor> all) throws LinuxException {
    try (Poll poll = new Poll(all.size() + 1);
        Arena arena = Arena.ofConfined()) {
      int signal = poll.add(wake.number(), Poll.IN);
      for (Descriptor pidfd : all) {
        poll.add(pidfd.number(), Poll.IN);
      }
      if (!poll.await(LONG)) {
        return;
      }
      if (poll.ready(signal)) {
        wake.read(arena.allocate(8, 8));
      }
      for (int i = 0; i < all.size(); i++) {
        if (poll.ready(i + 1)) {
          finish(all.get(i));
        }
      }
    }
  }

  /// Whoever waits goes on elsewhere: this thread serves all.
  private void finish(Descriptor pidfd) {
    CompletableFuture<Void> future;
    synchronized (watched) {
      future = watched.remove(pidfd);
      pidfd.close();
    }
    if (future != null) {
      future.completeAsync(() -> null, ForkJoinPool.commonPool());
    }
  }

  private void signal() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment one = arena.allocateFrom(ValueLayout.JAVA_LONG, 1);
      synchronized (watched) {
        if (wake.isOpen()) {
          wake.write(one);
        }
      }
    }
  }

  /// Watches no longer; what has not ended by now is never told.
  @Override
  public void close() {
    closed = true;
    signal();
  }
}
