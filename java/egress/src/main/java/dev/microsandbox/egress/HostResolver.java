package dev.microsandbox.egress;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// The host's own name resolution, hosts file and all, on threads of its own: the system's resolver
/// waits, and would hold a virtual thread's carrier.
final class HostResolver implements AutoCloseable {
  private static final int MAX_THREADS = 128;
  private static final int MAX_REMEMBERED = 1_024;

  private final ThreadPoolExecutor threads =
      new ThreadPoolExecutor(
          0,
          MAX_THREADS,
          10,
          TimeUnit.SECONDS,
          new SynchronousQueue<>(),
          Thread.ofPlatform().daemon().name("name-look-up-", 0).factory());

  // Guarded by this.
  private final Map<String, List<Consumer<Answer>>> underWay = new HashMap<>();
  private final Map<String, Answer> failures =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Answer> eldest) {
          return size() > MAX_REMEMBERED;
        }
      };

  private final LookUp system;

  /// The system's way of looking a name up.
  interface LookUp {
    InetAddress[] lookUp(String name) throws UnknownHostException;
  }

  HostResolver() {
    this(InetAddress::getAllByName);
  }

  HostResolver(LookUp system) {
    this.system = system;
  }

  /// What is known of a name.
  sealed interface Answer {
    record Found(List<InetAddress> addresses) implements Answer {}

    record NoSuchName() implements Answer {}

    /// The name exists, without addresses.
    record NoAddress() implements Answer {}

    /// The resolver did not say.
    record Failed() implements Answer {}
  }

  /// Looks a name up, or joins a look-up of it that is under way. The answer may come at once.
  void resolve(String name, Consumer<Answer> then) {
    synchronized (this) {
      List<Consumer<Answer>> waiting = underWay.get(name);
      if (waiting != null) {
        waiting.add(then);
        return;
      }
      underWay.put(name, new ArrayList<>(List.of(then)));
    }
    try {
      threads.execute(() -> finish(name, lookUp(name)));
    } catch (RejectedExecutionException _) {
      finish(name, new Answer.Failed());
    }
  }

  private void finish(String name, Answer answer) {
    List<Consumer<Answer>> waiting;
    synchronized (this) {
      waiting = underWay.remove(name);
    }
    if (waiting != null) {
      waiting.forEach(then -> then.accept(answer));
    }
  }

  private Answer lookUp(String name) {
    try {
      return new Answer.Found(List.of(system.lookUp(name)));
    } catch (UnknownHostException e) {
      return remembered(name, String.valueOf(e.getMessage()));
    }
  }

  /// The JDK remembers that a name failed, but not why: then its message is the name alone.
  private synchronized Answer remembered(String name, String message) {
    Answer before = failures.get(name);
    if (message.equals(name) && before != null) {
      return before;
    }
    Answer now = failure(message);
    failures.put(name, now);
    return now;
  }

  /// The system's words for EAI_NONAME and EAI_NODATA; EAI_AGAIN and all others are failures.
  static Answer failure(String message) {
    String lower = message.toLowerCase(Locale.ROOT);
    if (lower.contains("not known")) {
      return new Answer.NoSuchName();
    }
    return lower.contains("no address associated") ? new Answer.NoAddress() : new Answer.Failed();
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
