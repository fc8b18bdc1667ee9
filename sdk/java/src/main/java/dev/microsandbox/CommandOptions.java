package dev.microsandbox;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// How a command is run. What is not set is left to the server.
public final class CommandOptions {
  /// Everything left to the server.
  public static final CommandOptions DEFAULT = builder().build();

  private final @Nullable Duration timeout;
  private final Map<String, String> env;
  private final @Nullable String workingDirectory;
  private final @Nullable String user;
  private final byte @Nullable [] stdin;
  private final boolean keepRunning;
  private final @Nullable Integer outputLimit;

  private CommandOptions(Builder from) {
    this.timeout = from.timeout;
    this.env = Map.copyOf(from.env);
    this.workingDirectory = from.workingDirectory;
    this.user = from.user;
    this.stdin = from.stdin;
    this.keepRunning = from.keepRunning;
    this.outputLimit = from.outputLimit;
  }

  /// Options put together step by step.
  public static Builder builder() {
    return new Builder();
  }

  @Nullable Duration timeout() {
    return timeout;
  }

  Map<String, @Nullable Object> toJson(String command, List<String> args) {
    List<String> argv = new ArrayList<>(List.of(command));
    argv.addAll(args);
    Map<String, @Nullable Object> body = new LinkedHashMap<>();
    body.put("argv", argv);
    body.put("env", env);
    body.put("working_directory", workingDirectory);
    body.put("user", user);
    body.put("stdin_base64", stdin == null ? null : Base64.getEncoder().encodeToString(stdin));
    body.put("timeout", Call.seconds(timeout));
    body.put("keep_running", keepRunning);
    body.put("output_limit", outputLimit);
    return body;
  }

  /// Builds [CommandOptions].
  public static final class Builder {
    private final Map<String, String> env = new LinkedHashMap<>();
    private @Nullable Duration timeout;
    private @Nullable String workingDirectory;
    private @Nullable String user;
    private byte @Nullable [] stdin;
    private boolean keepRunning;
    private @Nullable Integer outputLimit;

    private Builder() {}

    /// Until it is ended; zero for no limit. The server's default is 300 seconds.
    public Builder timeout(Duration limit) {
      this.timeout = limit;
      return this;
    }

    /// Adds a variable to its environment.
    public Builder env(String name, String value) {
      env.put(name, value);
      return this;
    }

    /// Adds variables to its environment.
    public Builder env(Map<String, String> variables) {
      env.putAll(variables);
      return this;
    }

    /// Where it begins; else the user's home.
    public Builder workingDirectory(String folder) {
      this.workingDirectory = folder;
      return this;
    }

    /// `sandbox`, which is the default, or `root`.
    public Builder user(String name) {
      this.user = name;
      return this;
    }

    /// What it reads, then end of file; else end of file at once.
    public Builder stdin(byte[] input) {
      this.stdin = input.clone();
      return this;
    }

    /// What it reads, as UTF-8.
    public Builder stdin(String input) {
      return stdin(input.getBytes(StandardCharsets.UTF_8));
    }

    /// Whether it goes on when this client goes away.
    public Builder keepRunning(boolean goesOn) {
      this.keepRunning = goesOn;
      return this;
    }

    /// Bytes kept of each output in the result, its first and last part. The default is 1 MiB.
    public Builder outputLimit(int bytes) {
      this.outputLimit = bytes;
      return this;
    }

    /// The options.
    public CommandOptions build() {
      return new CommandOptions(this);
    }
  }
}
