package dev.microsandbox;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// How a cell is run.
///
/// @param timeout until it is interrupted, its state kept if it yields; the server's default, 300
///   seconds, where null; none where zero
/// @param context the interpreter, one of several of a sandbox; the language's own where null
/// @param keepRunning whether it goes on when this client goes away
/// @param outputLimit bytes kept of each output in the result, its first and last part; the
///   server's default, 1 MiB, where null
public record RunOptions(
    @Nullable Duration timeout,
    @Nullable String context,
    boolean keepRunning,
    @Nullable Integer outputLimit) {

  /// Everything left to the server.
  public static final RunOptions DEFAULT = new RunOptions(null, null, false, null);

  /// Options put together step by step.
  public static Builder builder() {
    return new Builder();
  }

  /// The same in another context.
  RunOptions inContext(String id) {
    return new RunOptions(timeout, id, keepRunning, outputLimit);
  }

  /// @param language of the default context, for cells that name none; null for the image's first
  Map<String, @Nullable Object> toJson(String code, @Nullable String language) {
    Map<String, @Nullable Object> body = new LinkedHashMap<>();
    body.put("code", code);
    // The server takes one of the two.
    body.put("language", context == null ? language : null);
    body.put("context", context);
    body.put("timeout", Call.seconds(timeout));
    body.put("keep_running", keepRunning);
    body.put("output_limit", outputLimit);
    return body;
  }

  /// Builds [RunOptions]; what is not set is left to the server.
  public static final class Builder {
    private @Nullable Duration timeout;
    private @Nullable String context;
    private boolean keepRunning;
    private @Nullable Integer outputLimit;

    private Builder() {}

    /// Until it is interrupted; zero for no limit.
    public Builder timeout(Duration limit) {
      this.timeout = limit;
      return this;
    }

    /// The id of the interpreter, one of several of a sandbox.
    public Builder context(String id) {
      this.context = id;
      return this;
    }

    /// Whether it goes on when this client goes away.
    public Builder keepRunning(boolean goesOn) {
      this.keepRunning = goesOn;
      return this;
    }

    /// Bytes kept of each output in the result.
    public Builder outputLimit(int bytes) {
      this.outputLimit = bytes;
      return this;
    }

    /// The options.
    public RunOptions build() {
      return new RunOptions(timeout, context, keepRunning, outputLimit);
    }
  }
}
