package dev.microsandbox.server;

import dev.microsandbox.model.ByteSize;
import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Reads the numbers of requests: seconds and mebibytes.
final class Amounts {
  private static final double LONGEST_SECONDS = 10 * 365.25 * 24 * 3600;
  private static final int MOST_MIB = 1 << 30;

  private Amounts() {}

  static @Nullable Duration seconds(@Nullable Double value, String field) {
    if (value == null) {
      return null;
    }
    if (!(value >= 0 && value <= LONGEST_SECONDS)) {
      throw invalid(field + " is a number of seconds from 0 to ten years", field);
    }
    return Duration.ofNanos(Math.round(value * 1e9));
  }

  static ByteSize mib(@Nullable Integer value, ByteSize otherwise, String field) {
    if (value == null) {
      return otherwise;
    }
    if (value <= 0 || value > MOST_MIB) {
      throw invalid(field + " is a number of MiB above 0", field);
    }
    return ByteSize.ofMib(value);
  }

  private static SandboxException invalid(String message, String field) {
    return new SandboxException(ErrorCode.INVALID_LIMITS, message, Map.of("field", field));
  }
}
