package dev.microsandbox;

import java.util.Spliterator;
import java.util.Spliterators;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/// The two ways to be given a run's events.
final class EventStreams {
  private EventStreams() {}

  /// As a stream, whose end closes the connection and whose early close does so too.
  static Stream<RunEvent> of(EventReader reader) {
    return StreamSupport.stream(new Events(reader), false).onClose(reader::close);
  }

  /// One by one; returns the last. A consumer that throws ends it.
  static RunEvent.Finished each(Supplier<EventReader> open, Consumer<? super RunEvent> events) {
    try (EventReader reader = open.get()) {
      for (RunEvent event = reader.next(); event != null; event = reader.next()) {
        events.accept(event);
        if (event instanceof RunEvent.Finished finished) {
          return finished;
        }
      }
    }
    throw new SandboxException(ErrorCode.INTERNAL, "the run's events had no end");
  }

  private static final class Events extends Spliterators.AbstractSpliterator<RunEvent> {
    private final EventReader reader;

    Events(EventReader reader) {
      super(Long.MAX_VALUE, Spliterator.ORDERED | Spliterator.NONNULL);
      this.reader = reader;
    }

    @Override
    public boolean tryAdvance(Consumer<? super RunEvent> action) {
      @Nullable RunEvent event = reader.next();
      if (event == null) {
        reader.close();
        return false;
      }
      action.accept(event);
      return true;
    }
  }
}
