/**
 * Something went wrong that is not an outcome of the code that was run.
 *
 * Each code of the catalogue has its own class below this one; a code newer than this package gives a plain
 * `SandboxError`.
 */
export class SandboxError extends Error {
  /** The code of errors of this class. */
  static readonly code: string = "internal";
  /** Whether errors of this class may pass by themselves. */
  static readonly retryable: boolean = false;

  /** The catalogue's code, `name_taken` for example. */
  readonly code: string;
  /** What a program may want to know. */
  readonly details: Readonly<Record<string, unknown>>;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;

  constructor(
    message: string,
    { code, details, cause }: { code?: string; details?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code ?? new.target.code;
    this.details = { ...details };
    this.retryable = new.target.retryable;
  }
}
