package dev.microsandbox;

import java.util.Locale;

/// What can go wrong, once each: the catalogue `spec/errors.json`.
public enum ErrorCode {
  /// A field is missing, has the wrong type or an impossible value; details.field names it.
  INVALID_REQUEST(false),

  /// The body is not valid JSON.
  INVALID_JSON(false),

  /// A sandbox's name or namespace breaks the rules: 1 to 63 of A-Z a-z 0-9 - _, the first a letter
  /// or digit.
  INVALID_NAME(false),

  /// Memory, CPUs, processes, disk or a time is below what works or above what the server allows.
  INVALID_LIMITS(false),

  /// The body is not application/json.
  UNSUPPORTED_MEDIA_TYPE(false),

  /// No interpreter of this language in the sandbox's image.
  UNKNOWN_LANGUAGE(false),

  /// The JSON-RPC method does not exist.
  UNKNOWN_METHOD(false),

  /// The body is not a JSON-RPC 2.0 request.
  INVALID_RPC(false),

  /// No such path.
  NOT_FOUND(false),

  /// The path exists, but not with this HTTP method.
  METHOD_NOT_ALLOWED(false),

  /// No sandbox of this name or id for this owner.
  SANDBOX_NOT_FOUND(false),

  /// No such run, or it ended long ago.
  RUN_NOT_FOUND(false),

  /// No such context.
  CONTEXT_NOT_FOUND(false),

  /// The image is not in the store; the message names the command that builds or pulls it.
  IMAGE_NOT_FOUND(false),

  /// No API key of this id.
  KEY_NOT_FOUND(false),

  /// A sandbox of this name is alive.
  NAME_TAKEN(false),

  /// The sandbox is stopped; start it first.
  SANDBOX_NOT_RUNNING(false),

  /// The sandbox runs; stop it first.
  SANDBOX_RUNNING(false),

  /// The sandbox is being started, stopped or deleted.
  SANDBOX_BUSY(true),

  /// No API key was given, and this listener wants one.
  UNAUTHENTICATED(false),

  /// The API key is unknown, revoked or expired.
  INVALID_KEY(false),

  /// The key may not do this.
  FORBIDDEN(false),

  /// The request comes from a web page or for a host name that this server does not serve.
  FORBIDDEN_ORIGIN(false),

  /// The body is larger than the server accepts.
  BODY_TOO_LARGE(false),

  /// The request's headers are larger than the server accepts.
  HEADER_TOO_LARGE(false),

  /// The request did not arrive in time.
  REQUEST_TIMEOUT(true),

  /// Too many connections or requests at once.
  TOO_MANY_REQUESTS(true),

  /// The server's, or the owner's, number of sandboxes is reached.
  TOO_MANY_SANDBOXES(true),

  /// The context's queue of cells is full.
  TOO_MANY_CELLS(true),

  /// The sandbox's number of commands at once is reached.
  TOO_MANY_PROCESSES(true),

  /// The host has no memory left for another sandbox.
  OUT_OF_MEMORY(true),

  /// No space is left, in the sandbox or on the host; details.where says which.
  DISK_FULL(false),

  /// No such program on the PATH of the sandbox's user.
  COMMAND_NOT_FOUND(false),

  /// The file exists but may not be executed.
  COMMAND_NOT_EXECUTABLE(false),

  /// The working directory does not exist.
  NO_SUCH_DIRECTORY(false),

  /// No such user in the sandbox.
  UNKNOWN_USER(false),

  /// No file of this path in the sandbox.
  NO_SUCH_FILE(false),

  /// The path is a directory.
  IS_A_DIRECTORY(false),

  /// The path is neither a plain file nor a directory.
  NOT_A_FILE(false),

  /// The sandbox's user may not read or write this path.
  PERMISSION_DENIED(false),

  /// The file is larger than this call carries.
  FILE_TOO_LARGE(false),

  /// The interpreter does not start; the message holds its last words.
  INTERPRETER_FAILED(true),

  /// The sandbox's agent is gone or breaks its protocol; the sandbox has been ended.
  AGENT_LOST(true),

  /// The sandbox could not be started.
  SANDBOX_FAILED(true),

  /// The sandbox ended while the request was under way.
  SANDBOX_ENDED(true),

  /// No container runtime works on this host; msb doctor says why.
  RUNTIME_MISSING(false),

  /// This kind of isolation does not work on this host, or cannot do what was asked.
  ISOLATION_UNAVAILABLE(false),

  /// The server needs root.
  NOT_ROOT(false),

  /// Another program listens on the address.
  PORT_IN_USE(false),

  /// Another server runs on this home.
  HOME_IN_USE(false),

  /// The server's database cannot be read or written.
  STORE_FAILED(true),

  /// The image could not be built; the message names the step.
  IMAGE_BUILD_FAILED(true),

  /// The sandbox's policy does not allow this destination.
  NETWORK_DENIED(false),

  /// The server is stopping.
  SHUTTING_DOWN(true),

  /// The request's own deadline has passed.
  TIMED_OUT(true),

  /// No server answers at the configured address (said by clients).
  SERVER_UNREACHABLE(true),

  /// This server does not do this yet.
  UNSUPPORTED(false),

  /// A bug; details.id finds it in the server's log.
  INTERNAL(true),

  /// A code that is newer than this client; [SandboxException#codeName] has it.
  UNKNOWN(false);

  private final boolean retryable;

  ErrorCode(boolean retryable) {
    this.retryable = retryable;
  }

  /// Whether the same call may succeed later.
  public boolean retryable() {
    return retryable;
  }

  /// The code as the wire and the other languages have it, `name_taken` for example.
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  static ErrorCode of(String text) {
    for (ErrorCode code : values()) {
      if (code.text().equals(text)) {
        return code;
      }
    }
    return UNKNOWN;
  }
}
