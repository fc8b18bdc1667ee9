package dev.microsandbox.isolation.oci;

import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/// What one launch did, and how long each step of it took.
final class LaunchSteps {
  private final Map<String, Duration> steps = new LinkedHashMap<>();
  private final Consumer<String> listener;
  private long last = System.nanoTime();

  LaunchSteps(Consumer<String> listener) {
    this.listener = listener;
  }

  /// The step that has just been finished.
  void done(String step) {
    long now = System.nanoTime();
    steps.merge(step, Duration.ofNanos(now - last), Duration::plus);
    listener.accept(step);
    last = System.nanoTime();
  }

  Map<String, Duration> times() {
    return Collections.unmodifiableMap(steps);
  }

  Duration total() {
    return steps.values().stream().reduce(Duration.ZERO, Duration::plus);
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    steps.forEach((step, time) -> text.append(step).append(' ').append(millis(time)).append(", "));
    return text + "in all " + millis(total());
  }

  private static String millis(Duration time) {
    return "%.1f ms".formatted(time.toNanos() / 1e6);
  }
}
