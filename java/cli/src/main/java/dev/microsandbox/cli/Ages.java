package dev.microsandbox.cli;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// How long ago something was, in the largest unit that tells enough.
final class Ages {
  private Ages() {}

  static String since(@Nullable Instant instant) {
    if (instant == null) {
      return "-";
    }
    Duration age = Duration.between(instant, Instant.now());
    if (age.toMinutes() < 2) {
      return Math.max(0, age.toSeconds()) + " s";
    }
    if (age.toHours() < 2) {
      return age.toMinutes() + " min";
    }
    return age.toDays() < 2 ? age.toHours() + " h" : age.toDays() + " d";
  }
}
