package dev.microsandbox;

import java.io.Serial;
import java.util.Map;

/// Something went wrong that is not an outcome of the code that was run.
///
/// [#code] is one of `spec/errors.json`, in snake_case; a server newer than this client may send
/// others.
public final class SandboxException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1;

  private final String code;
  private final transient Map<String, Object> details;

  public SandboxException(String code, String message, Map<String, Object> details) {
    super(message);
    this.code = code;
    this.details = Map.copyOf(details);
  }

  static SandboxException unreachable(String where, Throwable cause) {
    SandboxException made =
        new SandboxException(
            "server_unreachable",
            "no server answers at " + where + "; start one with: msb server start",
            Map.of());
    made.initCause(cause);
    return made;
  }

  public String code() {
    return code;
  }

  /// What a program may want to know: strings, numbers, booleans, lists and maps of these.
  public Map<String, Object> details() {
    return details;
  }

  /// The message alone, never null.
  public String message() {
    String message = getMessage();
    return message == null ? code : message;
  }
}
