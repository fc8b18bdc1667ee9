package dev.microsandbox.engine;

import dev.microsandbox.model.ErrorCode;
import dev.microsandbox.model.SandboxException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A cell to run.
///
/// @param context `python` and `node` are the default contexts of these languages, opened when they
///   are first used; others come from [SandboxService#openContext]
/// @param timeout null for the server's default (300 s), zero for none; counted from the moment at
///   which the context is free for it
/// @param keepRunning it goes on when its client goes away
/// @param outputLimit bytes kept of each output in a collected result; null for the default (1 MiB)
public record RunRequest(
    String context,
    String code,
    @Nullable Duration timeout,
    boolean keepRunning,
    @Nullable Integer outputLimit) {
  /// Bytes of UTF-8 that a cell's source may have.
  public static final int MAXIMUM_CODE = 8 * 1024 * 1024;

  public RunRequest {
    if (code.length() > MAXIMUM_CODE
        || code.getBytes(StandardCharsets.UTF_8).length > MAXIMUM_CODE) {
      throw new SandboxException(
          ErrorCode.BODY_TOO_LARGE, "a cell has at most 8 MiB", Map.of("field", "code"));
    }
    RunLimits.check(timeout, outputLimit);
  }

  /// With the defaults.
  public static RunRequest of(String context, String code) {
    return new RunRequest(context, code, null, false, null);
  }
}
