package dev.microsandbox;

import java.io.Serial;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Something went wrong that is not an outcome of the code that was run.
public final class SandboxException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1;
  private static final int FIRST_FAILURE = 300;

  private final ErrorCode code;
  private final String codeName;
  private final transient Map<String, @Nullable Object> details;

  /// An error of the catalogue.
  public SandboxException(ErrorCode code, String message) {
    this(code, code.text(), message, Map.of());
  }

  private SandboxException(
      ErrorCode code, String codeName, String message, Map<String, @Nullable Object> details) {
    super(message);
    this.code = code;
    this.codeName = codeName;
    this.details = Collections.unmodifiableMap(new LinkedHashMap<>(details));
  }

  static SandboxException because(ErrorCode code, String message, @Nullable Throwable cause) {
    SandboxException made = new SandboxException(code, message);
    made.initCause(cause);
    return made;
  }

  /// Makes the exception for an error's body, as an answer or an event holds it.
  static SandboxException of(JsonObject body, int status) {
    JsonObject error = body.object("error");
    String name = error.text("code");
    if (name.isEmpty()) {
      return new SandboxException(ErrorCode.INTERNAL, "the server answered with status " + status);
    }
    return new SandboxException(
        ErrorCode.of(name), name, error.text("message"), error.object("details").fields());
  }

  static boolean isFailure(int status) {
    return status >= FIRST_FAILURE;
  }

  /// What went wrong.
  public ErrorCode code() {
    return code;
  }

  /// The same as the server wrote it, `name_taken` for example; a server that is newer than this
  /// client may send codes that [ErrorCode] does not have.
  public String codeName() {
    return codeName;
  }

  /// Whether the same call may succeed later.
  public boolean retryable() {
    return code.retryable();
  }

  /// What a program may want to know: texts, numbers, booleans, lists and maps of these.
  public Map<String, @Nullable Object> details() {
    return details;
  }

  /// The message alone, never null.
  public String message() {
    String message = getMessage();
    return message == null ? codeName : message;
  }
}
