import { ERRORS } from "./errors.js";
import { SandboxError } from "./sandbox-error.js";

/** Makes the error for an answer of the server, which is parsed or, where it is no JSON, undefined. */
export function errorFrom(body: unknown, status: number): SandboxError {
  const error = record(record(body)?.error);
  if (error === undefined) {
    return new SandboxError(`the server answered with status ${status} and no explanation`);
  }
  const code = typeof error.code === "string" ? error.code : "internal";
  const message = typeof error.message === "string" ? error.message : code;
  const kind = Object.hasOwn(ERRORS, code) ? ERRORS[code] : undefined;
  return new (kind ?? SandboxError)(message, { code, details: record(error.details) ?? {} });
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
