package dev.microsandbox.model;

import java.io.Serial;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The one exception that crosses modules: a code of the catalogue, a message for people, and
/// details for programs.
///
/// The message is in lower case, says what was wrong and what to do, and never shows a path of the
/// host.
public final class SandboxException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1;

  private final ErrorCode code;
  private final transient Map<String, Object> details;

  public SandboxException(ErrorCode code, String message) {
    this(code, message, Map.of(), null);
  }

  public SandboxException(ErrorCode code, String message, Map<String, Object> details) {
    this(code, message, details, null);
  }

  /// With the cause, which goes into the log and never to a client.
  public SandboxException(
      ErrorCode code, String message, Map<String, Object> details, @Nullable Throwable cause) {
    super(message, cause);
    this.code = code;
    this.details = Map.copyOf(details);
  }

  public ErrorCode code() {
    return code;
  }

  /// Values are strings, numbers, booleans, and lists and maps of these.
  public Map<String, Object> details() {
    return details;
  }

  /// The message alone; unlike [#getMessage] never null.
  public String message() {
    String message = getMessage();
    return message == null ? code.wireName() : message;
  }
}
