package dev.microsandbox.model;

/// Every error that a client can meet, once. The catalogue is `spec/errors.json`; a test holds the
/// two together.
public enum ErrorCode {
  /// A field is missing, has the wrong type or an impossible value; details.field names it.
  INVALID_REQUEST(400, 2001, Audience.USER, false),
  /// The body is not valid JSON.
  INVALID_JSON(400, -32700, Audience.USER, false),
  /// A sandbox's name or namespace breaks the rules: 1 to 63 of A-Z a-z 0-9 - _, the first a letter
  /// or digit.
  INVALID_NAME(400, 2001, Audience.USER, false),
  /// Memory, CPUs, processes, disk or a time is below what works or above what the server allows.
  INVALID_LIMITS(400, 2001, Audience.USER, false),
  /// The body is not application/json.
  UNSUPPORTED_MEDIA_TYPE(415, 2001, Audience.USER, false),
  /// No interpreter of this language in the sandbox's image.
  UNKNOWN_LANGUAGE(400, 2001, Audience.USER, false),
  /// The JSON-RPC method does not exist.
  UNKNOWN_METHOD(404, -32601, Audience.USER, false),
  /// The body is not a JSON-RPC 2.0 request.
  INVALID_RPC(400, -32600, Audience.USER, false),
  /// No such path.
  NOT_FOUND(404, 4001, Audience.USER, false),
  /// The path exists, but not with this HTTP method.
  METHOD_NOT_ALLOWED(405, 2001, Audience.USER, false),
  /// No sandbox of this name or id for this owner.
  SANDBOX_NOT_FOUND(404, 4001, Audience.USER, false),
  /// No such run, or it ended long ago.
  RUN_NOT_FOUND(404, 4001, Audience.USER, false),
  /// No such context.
  CONTEXT_NOT_FOUND(404, 4001, Audience.USER, false),
  /// The image is not in the store; the message names the command that builds or pulls it.
  IMAGE_NOT_FOUND(404, 4001, Audience.USER, false),
  /// No API key of this id.
  KEY_NOT_FOUND(404, 4001, Audience.USER, false),
  /// A sandbox of this name is alive.
  NAME_TAKEN(409, 2001, Audience.USER, false),
  /// The sandbox is stopped; start it first.
  SANDBOX_NOT_RUNNING(409, 2001, Audience.USER, false),
  /// The sandbox runs; stop it first.
  SANDBOX_RUNNING(409, 2001, Audience.USER, false),
  /// The sandbox is being started, stopped or deleted.
  SANDBOX_BUSY(409, 2001, Audience.RESOURCE, true),
  /// No API key was given, and this listener wants one.
  UNAUTHENTICATED(401, 1001, Audience.USER, false),
  /// The API key is unknown, revoked or expired.
  INVALID_KEY(401, 1004, Audience.USER, false),
  /// The key may not do this.
  FORBIDDEN(403, 3001, Audience.USER, false),
  /// The request comes from a web page or for a host name that this server does not serve.
  FORBIDDEN_ORIGIN(403, 3001, Audience.USER, false),
  /// The body is larger than the server accepts.
  BODY_TOO_LARGE(413, 2001, Audience.USER, false),
  /// The request's headers are larger than the server accepts.
  HEADER_TOO_LARGE(431, 2001, Audience.USER, false),
  /// The request did not arrive in time.
  REQUEST_TIMEOUT(408, 2001, Audience.USER, true),
  /// Too many connections or requests at once.
  TOO_MANY_REQUESTS(429, 1003, Audience.RESOURCE, true),
  /// The server's, or the owner's, number of sandboxes is reached.
  TOO_MANY_SANDBOXES(429, 5002, Audience.RESOURCE, true),
  /// The context's queue of cells is full.
  TOO_MANY_CELLS(429, 5002, Audience.RESOURCE, true),
  /// The sandbox's number of commands at once is reached.
  TOO_MANY_PROCESSES(429, 5002, Audience.RESOURCE, true),
  /// The host has no memory left for another sandbox.
  OUT_OF_MEMORY(503, 5002, Audience.RESOURCE, true),
  /// No space is left, in the sandbox or on the host; details.where says which.
  DISK_FULL(507, 5002, Audience.RESOURCE, false),
  /// No such program on the PATH of the sandbox's user.
  COMMAND_NOT_FOUND(400, 2001, Audience.USER, false),
  /// The file exists but may not be executed.
  COMMAND_NOT_EXECUTABLE(400, 2001, Audience.USER, false),
  /// The working directory does not exist.
  NO_SUCH_DIRECTORY(400, 2001, Audience.USER, false),
  /// No such user in the sandbox.
  UNKNOWN_USER(400, 2001, Audience.USER, false),
  /// No file of this path in the sandbox.
  NO_SUCH_FILE(404, 4001, Audience.USER, false),
  /// The path is a directory.
  IS_A_DIRECTORY(400, 2001, Audience.USER, false),
  /// The path is neither a plain file nor a directory.
  NOT_A_FILE(400, 2001, Audience.USER, false),
  /// The sandbox's user may not read or write this path.
  PERMISSION_DENIED(403, 3001, Audience.USER, false),
  /// The file is larger than this call carries.
  FILE_TOO_LARGE(413, 2001, Audience.USER, false),
  /// The interpreter does not start; the message holds its last words.
  INTERPRETER_FAILED(500, 5002, Audience.USER, true),
  /// The sandbox's agent is gone or breaks its protocol; the sandbox has been ended.
  AGENT_LOST(502, 5002, Audience.INTERNAL, true),
  /// The sandbox could not be started.
  SANDBOX_FAILED(500, 5002, Audience.INTERNAL, true),
  /// The sandbox ended while the request was under way.
  SANDBOX_ENDED(410, 5002, Audience.USER, true),
  /// No container runtime works on this host; msb doctor says why.
  RUNTIME_MISSING(503, 5002, Audience.RESOURCE, false),
  /// This kind of isolation does not work on this host, or cannot do what was asked.
  ISOLATION_UNAVAILABLE(400, 2001, Audience.USER, false),
  /// The server needs root.
  NOT_ROOT(503, 5002, Audience.RESOURCE, false),
  /// Another program listens on the address.
  PORT_IN_USE(503, 5002, Audience.RESOURCE, false),
  /// Another server runs on this home.
  HOME_IN_USE(503, 5002, Audience.RESOURCE, false),
  /// The server's database cannot be read or written.
  STORE_FAILED(500, 5001, Audience.INTERNAL, true),
  /// The image could not be built; the message names the step.
  IMAGE_BUILD_FAILED(500, 5002, Audience.RESOURCE, true),
  /// The sandbox's policy does not allow this destination.
  NETWORK_DENIED(403, 3001, Audience.USER, false),
  /// The server is stopping.
  SHUTTING_DOWN(503, 5002, Audience.RESOURCE, true),
  /// The request's own deadline has passed.
  TIMED_OUT(504, 5002, Audience.RESOURCE, true),
  /// No server answers at the configured address (said by clients).
  SERVER_UNREACHABLE(503, 5002, Audience.USER, true),
  /// This server does not do this yet.
  UNSUPPORTED(501, 5002, Audience.USER, false),
  /// A bug; details.id finds it in the server's log.
  INTERNAL(500, 5002, Audience.INTERNAL, true);

  /// Whose turn it is to do something about an error.
  public enum Audience {
    /// The caller's: the request has to change.
    USER,
    /// The operator's, or time's: something has run out or is missing.
    RESOURCE,
    /// Ours: a bug or a broken part.
    INTERNAL
  }

  private final int httpStatus;
  private final int rpcCode;
  private final Audience audience;
  private final boolean retryable;

  ErrorCode(int httpStatus, int rpcCode, Audience audience, boolean retryable) {
    this.httpStatus = httpStatus;
    this.rpcCode = rpcCode;
    this.audience = audience;
    this.retryable = retryable;
  }

  /// The code as it stands on the wire, in snake_case.
  public String wireName() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }

  /// Status of the native API's answer.
  public int httpStatus() {
    return httpStatus;
  }

  /// Number in the JSON-RPC and legacy envelopes.
  public int rpcCode() {
    return rpcCode;
  }

  public Audience audience() {
    return audience;
  }

  /// Whether the same request may succeed later.
  public boolean retryable() {
    return retryable;
  }
}
