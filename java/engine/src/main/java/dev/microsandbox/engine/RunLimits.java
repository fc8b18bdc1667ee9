package dev.microsandbox.engine;

import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Bounds of what a caller may ask for a single run.
final class RunLimits {
  /// Bytes kept of one output where a request does not say.
  static final int DEFAULT_OUTPUT = 1024 * 1024;

  private static final int MAXIMUM_OUTPUT = 16 * 1024 * 1024;
  private static final Duration LONGEST = Duration.ofDays(30);

  private RunLimits() {}

  static void check(@Nullable Duration timeout, @Nullable Integer outputLimit) {
    if (timeout != null && (timeout.isNegative() || timeout.compareTo(LONGEST) > 0)) {
      throw invalid("timeout is between 0 (none) and 30 days", "timeout");
    }
    if (outputLimit != null && (outputLimit < 0 || outputLimit > MAXIMUM_OUTPUT)) {
      throw invalid("output_limit is between 0 and 16 MiB", "output_limit");
    }
  }

  private static SandboxException invalid(String message, String field) {
    return new SandboxException(ErrorCode.INVALID_LIMITS, message, Map.of("field", field));
  }
}
