// Generated from spec/errors.json by scripts/generate-errors.mjs.

import { SandboxError } from "./sandbox-error.js";

/** A field is missing, has the wrong type or an impossible value; details.field names it. */
export class InvalidRequestError extends SandboxError {
  static override readonly code: string = "invalid_request";
  static override readonly retryable: boolean = false;
}

/** The body is not valid JSON. */
export class InvalidJsonError extends SandboxError {
  static override readonly code: string = "invalid_json";
  static override readonly retryable: boolean = false;
}

/** A sandbox's name or namespace breaks the rules: 1 to 63 of A-Z a-z 0-9 - _, the first a letter or digit. */
export class InvalidNameError extends SandboxError {
  static override readonly code: string = "invalid_name";
  static override readonly retryable: boolean = false;
}

/** Memory, CPUs, processes, disk or a time is below what works or above what the server allows. */
export class InvalidLimitsError extends SandboxError {
  static override readonly code: string = "invalid_limits";
  static override readonly retryable: boolean = false;
}

/** The body is not application/json. */
export class UnsupportedMediaTypeError extends SandboxError {
  static override readonly code: string = "unsupported_media_type";
  static override readonly retryable: boolean = false;
}

/** No interpreter of this language in the sandbox's image. */
export class UnknownLanguageError extends SandboxError {
  static override readonly code: string = "unknown_language";
  static override readonly retryable: boolean = false;
}

/** The JSON-RPC method does not exist. */
export class UnknownMethodError extends SandboxError {
  static override readonly code: string = "unknown_method";
  static override readonly retryable: boolean = false;
}

/** The body is not a JSON-RPC 2.0 request. */
export class InvalidRpcError extends SandboxError {
  static override readonly code: string = "invalid_rpc";
  static override readonly retryable: boolean = false;
}

/** No such path. */
export class NotFoundError extends SandboxError {
  static override readonly code: string = "not_found";
  static override readonly retryable: boolean = false;
}

/** The path exists, but not with this HTTP method. */
export class MethodNotAllowedError extends SandboxError {
  static override readonly code: string = "method_not_allowed";
  static override readonly retryable: boolean = false;
}

/** No sandbox of this name or id for this owner. */
export class SandboxNotFoundError extends SandboxError {
  static override readonly code: string = "sandbox_not_found";
  static override readonly retryable: boolean = false;
}

/** No such run, or it ended long ago. */
export class RunNotFoundError extends SandboxError {
  static override readonly code: string = "run_not_found";
  static override readonly retryable: boolean = false;
}

/** No such context. */
export class ContextNotFoundError extends SandboxError {
  static override readonly code: string = "context_not_found";
  static override readonly retryable: boolean = false;
}

/** The image is not in the store; the message names the command that builds or pulls it. */
export class ImageNotFoundError extends SandboxError {
  static override readonly code: string = "image_not_found";
  static override readonly retryable: boolean = false;
}

/** No API key of this id. */
export class KeyNotFoundError extends SandboxError {
  static override readonly code: string = "key_not_found";
  static override readonly retryable: boolean = false;
}

/** A sandbox of this name is alive. */
export class NameTakenError extends SandboxError {
  static override readonly code: string = "name_taken";
  static override readonly retryable: boolean = false;
}

/** The sandbox is stopped; start it first. */
export class SandboxNotRunningError extends SandboxError {
  static override readonly code: string = "sandbox_not_running";
  static override readonly retryable: boolean = false;
}

/** The sandbox runs; stop it first. */
export class SandboxRunningError extends SandboxError {
  static override readonly code: string = "sandbox_running";
  static override readonly retryable: boolean = false;
}

/** The sandbox is being started, stopped or deleted. */
export class SandboxBusyError extends SandboxError {
  static override readonly code: string = "sandbox_busy";
  static override readonly retryable: boolean = true;
}

/** No API key was given, and this listener wants one. */
export class UnauthenticatedError extends SandboxError {
  static override readonly code: string = "unauthenticated";
  static override readonly retryable: boolean = false;
}

/** The API key is unknown, revoked or expired. */
export class InvalidKeyError extends SandboxError {
  static override readonly code: string = "invalid_key";
  static override readonly retryable: boolean = false;
}

/** The key may not do this. */
export class ForbiddenError extends SandboxError {
  static override readonly code: string = "forbidden";
  static override readonly retryable: boolean = false;
}

/** The request comes from a web page or for a host name that this server does not serve. */
export class ForbiddenOriginError extends SandboxError {
  static override readonly code: string = "forbidden_origin";
  static override readonly retryable: boolean = false;
}

/** The body is larger than the server accepts. */
export class BodyTooLargeError extends SandboxError {
  static override readonly code: string = "body_too_large";
  static override readonly retryable: boolean = false;
}

/** The request's headers are larger than the server accepts. */
export class HeaderTooLargeError extends SandboxError {
  static override readonly code: string = "header_too_large";
  static override readonly retryable: boolean = false;
}

/** The request did not arrive in time. */
export class RequestTimeoutError extends SandboxError {
  static override readonly code: string = "request_timeout";
  static override readonly retryable: boolean = true;
}

/** Too many connections or requests at once. */
export class TooManyRequestsError extends SandboxError {
  static override readonly code: string = "too_many_requests";
  static override readonly retryable: boolean = true;
}

/** The server's, or the owner's, number of sandboxes is reached. */
export class TooManySandboxesError extends SandboxError {
  static override readonly code: string = "too_many_sandboxes";
  static override readonly retryable: boolean = true;
}

/** The context's queue of cells is full. */
export class TooManyCellsError extends SandboxError {
  static override readonly code: string = "too_many_cells";
  static override readonly retryable: boolean = true;
}

/** The sandbox's number of commands at once is reached. */
export class TooManyProcessesError extends SandboxError {
  static override readonly code: string = "too_many_processes";
  static override readonly retryable: boolean = true;
}

/** The host has no memory left for another sandbox. */
export class OutOfMemoryError extends SandboxError {
  static override readonly code: string = "out_of_memory";
  static override readonly retryable: boolean = true;
}

/** No space is left, in the sandbox or on the host; details.where says which. */
export class DiskFullError extends SandboxError {
  static override readonly code: string = "disk_full";
  static override readonly retryable: boolean = false;
}

/** No such program on the PATH of the sandbox's user. */
export class CommandNotFoundError extends SandboxError {
  static override readonly code: string = "command_not_found";
  static override readonly retryable: boolean = false;
}

/** The file exists but may not be executed. */
export class CommandNotExecutableError extends SandboxError {
  static override readonly code: string = "command_not_executable";
  static override readonly retryable: boolean = false;
}

/** The working directory does not exist. */
export class NoSuchDirectoryError extends SandboxError {
  static override readonly code: string = "no_such_directory";
  static override readonly retryable: boolean = false;
}

/** No such user in the sandbox. */
export class UnknownUserError extends SandboxError {
  static override readonly code: string = "unknown_user";
  static override readonly retryable: boolean = false;
}

/** No file of this path in the sandbox. */
export class NoSuchFileError extends SandboxError {
  static override readonly code: string = "no_such_file";
  static override readonly retryable: boolean = false;
}

/** The path is a directory. */
export class IsADirectoryError extends SandboxError {
  static override readonly code: string = "is_a_directory";
  static override readonly retryable: boolean = false;
}

/** The path is neither a plain file nor a directory. */
export class NotAFileError extends SandboxError {
  static override readonly code: string = "not_a_file";
  static override readonly retryable: boolean = false;
}

/** The sandbox's user may not read or write this path. */
export class PermissionDeniedError extends SandboxError {
  static override readonly code: string = "permission_denied";
  static override readonly retryable: boolean = false;
}

/** The file is larger than this call carries. */
export class FileTooLargeError extends SandboxError {
  static override readonly code: string = "file_too_large";
  static override readonly retryable: boolean = false;
}

/** The interpreter does not start; the message holds its last words. */
export class InterpreterFailedError extends SandboxError {
  static override readonly code: string = "interpreter_failed";
  static override readonly retryable: boolean = true;
}

/** The sandbox's agent is gone or breaks its protocol; the sandbox has been ended. */
export class AgentLostError extends SandboxError {
  static override readonly code: string = "agent_lost";
  static override readonly retryable: boolean = true;
}

/** The sandbox could not be started. */
export class SandboxFailedError extends SandboxError {
  static override readonly code: string = "sandbox_failed";
  static override readonly retryable: boolean = true;
}

/** The sandbox ended while the request was under way. */
export class SandboxEndedError extends SandboxError {
  static override readonly code: string = "sandbox_ended";
  static override readonly retryable: boolean = true;
}

/** No container runtime works on this host; msb doctor says why. */
export class RuntimeMissingError extends SandboxError {
  static override readonly code: string = "runtime_missing";
  static override readonly retryable: boolean = false;
}

/** This kind of isolation does not work on this host, or cannot do what was asked. */
export class IsolationUnavailableError extends SandboxError {
  static override readonly code: string = "isolation_unavailable";
  static override readonly retryable: boolean = false;
}

/** The server needs root. */
export class NotRootError extends SandboxError {
  static override readonly code: string = "not_root";
  static override readonly retryable: boolean = false;
}

/** Another program listens on the address. */
export class PortInUseError extends SandboxError {
  static override readonly code: string = "port_in_use";
  static override readonly retryable: boolean = false;
}

/** Another server runs on this home. */
export class HomeInUseError extends SandboxError {
  static override readonly code: string = "home_in_use";
  static override readonly retryable: boolean = false;
}

/** The server's database cannot be read or written. */
export class StoreFailedError extends SandboxError {
  static override readonly code: string = "store_failed";
  static override readonly retryable: boolean = true;
}

/** The image could not be built; the message names the step. */
export class ImageBuildFailedError extends SandboxError {
  static override readonly code: string = "image_build_failed";
  static override readonly retryable: boolean = true;
}

/** The sandbox's policy does not allow this destination. */
export class NetworkDeniedError extends SandboxError {
  static override readonly code: string = "network_denied";
  static override readonly retryable: boolean = false;
}

/** The server is stopping. */
export class ShuttingDownError extends SandboxError {
  static override readonly code: string = "shutting_down";
  static override readonly retryable: boolean = true;
}

/** The request's own deadline has passed. */
export class TimedOutError extends SandboxError {
  static override readonly code: string = "timed_out";
  static override readonly retryable: boolean = true;
}

/** No server answers at the configured address (said by clients). */
export class ServerUnreachableError extends SandboxError {
  static override readonly code: string = "server_unreachable";
  static override readonly retryable: boolean = true;
}

/** This server does not do this yet. */
export class UnsupportedError extends SandboxError {
  static override readonly code: string = "unsupported";
  static override readonly retryable: boolean = false;
}

/** A bug; details.id finds it in the server's log. */
export class InternalError extends SandboxError {
  static override readonly code: string = "internal";
  static override readonly retryable: boolean = true;
}

/** All classes, by their code. */
export const ERRORS: Readonly<Record<string, typeof SandboxError>> = {
  invalid_request: InvalidRequestError,
  invalid_json: InvalidJsonError,
  invalid_name: InvalidNameError,
  invalid_limits: InvalidLimitsError,
  unsupported_media_type: UnsupportedMediaTypeError,
  unknown_language: UnknownLanguageError,
  unknown_method: UnknownMethodError,
  invalid_rpc: InvalidRpcError,
  not_found: NotFoundError,
  method_not_allowed: MethodNotAllowedError,
  sandbox_not_found: SandboxNotFoundError,
  run_not_found: RunNotFoundError,
  context_not_found: ContextNotFoundError,
  image_not_found: ImageNotFoundError,
  key_not_found: KeyNotFoundError,
  name_taken: NameTakenError,
  sandbox_not_running: SandboxNotRunningError,
  sandbox_running: SandboxRunningError,
  sandbox_busy: SandboxBusyError,
  unauthenticated: UnauthenticatedError,
  invalid_key: InvalidKeyError,
  forbidden: ForbiddenError,
  forbidden_origin: ForbiddenOriginError,
  body_too_large: BodyTooLargeError,
  header_too_large: HeaderTooLargeError,
  request_timeout: RequestTimeoutError,
  too_many_requests: TooManyRequestsError,
  too_many_sandboxes: TooManySandboxesError,
  too_many_cells: TooManyCellsError,
  too_many_processes: TooManyProcessesError,
  out_of_memory: OutOfMemoryError,
  disk_full: DiskFullError,
  command_not_found: CommandNotFoundError,
  command_not_executable: CommandNotExecutableError,
  no_such_directory: NoSuchDirectoryError,
  unknown_user: UnknownUserError,
  no_such_file: NoSuchFileError,
  is_a_directory: IsADirectoryError,
  not_a_file: NotAFileError,
  permission_denied: PermissionDeniedError,
  file_too_large: FileTooLargeError,
  interpreter_failed: InterpreterFailedError,
  agent_lost: AgentLostError,
  sandbox_failed: SandboxFailedError,
  sandbox_ended: SandboxEndedError,
  runtime_missing: RuntimeMissingError,
  isolation_unavailable: IsolationUnavailableError,
  not_root: NotRootError,
  port_in_use: PortInUseError,
  home_in_use: HomeInUseError,
  store_failed: StoreFailedError,
  image_build_failed: ImageBuildFailedError,
  network_denied: NetworkDeniedError,
  shutting_down: ShuttingDownError,
  timed_out: TimedOutError,
  server_unreachable: ServerUnreachableError,
  unsupported: UnsupportedError,
  internal: InternalError,
};
