import type { Json } from "./json.js";

/** How a cell or a command ended. */
export type Outcome =
  | "ok"
  | "error"
  | "interrupted"
  | "timed_out"
  | "exited"
  | "signaled"
  | "out_of_memory"
  | "sandbox_ended";

/** A value by MIME type, `text/plain` among them; binary ones in base64. */
export type ResultData = Readonly<Record<string, string>>;

/** What a cell raised, or why it ended otherwise. */
export interface RunError {
  readonly name: string;
  readonly message: string;
  readonly traceback: string;
}

/** A run's answer as the wire has it. */
export type RunBody = Json & {
  readonly id?: string;
  readonly outcome: Outcome;
  readonly stdout: string;
  readonly stderr: string;
  readonly stdout_left_out?: number;
  readonly stderr_left_out?: number;
  readonly result?: ResultData | null;
  readonly omitted?: readonly string[];
  readonly error?: RunError | null;
  readonly exit_code?: number | null;
  readonly signal?: number | null;
  readonly state_lost?: boolean;
  readonly duration?: number;
};

/** What a cell came to. It is a value: an exception in the sandbox is not one here. */
export class Execution {
  readonly #body: RunBody;
  /** The language of the cell. */
  readonly language: string;

  constructor(body: RunBody, language: string) {
    this.#body = body;
    this.language = language;
  }

  /** How the cell ended. */
  get outcome(): Outcome {
    return this.#body.outcome;
  }

  /** The same in the words of the original clients. */
  get status(): "success" | "error" {
    return this.hasError() ? "error" : "success";
  }

  /** The run's id on the server. */
  get runId(): string {
    return this.#body.id ?? "";
  }

  /** What was written to standard output, as it was written. */
  get stdout(): string {
    return this.#body.stdout;
  }

  /** What was written to standard error, without the traceback. */
  get stderr(): string {
    return this.#body.stderr;
  }

  /** The last expression's value; null where there is none. */
  get result(): ResultData | null {
    return this.#body.result ?? null;
  }

  /** MIME types that were left out of `result` for their size. */
  get omitted(): readonly string[] {
    return this.#body.omitted ?? [];
  }

  /** What the cell raised. */
  get raised(): RunError | null {
    return this.#body.error ?? null;
  }

  /** The code with which the cell, or its interpreter, exited. */
  get exitCode(): number | null {
    return this.#body.exit_code ?? null;
  }

  /** The number of the signal that ended its interpreter. */
  get signal(): number | null {
    return this.#body.signal ?? null;
  }

  /** Bytes of output past the limit that are not in `stdout` and `stderr`, where a mark stands for them. */
  get leftOut(): number {
    return leftOutOf(this.#body);
  }

  /** Seconds that it ran, by the server's clock. */
  get duration(): number {
    return this.#body.duration ?? 0;
  }

  /** Whether the interpreter died and a new one, without the variables, has taken its place. */
  get stateLost(): boolean {
    return this.#body.state_lost ?? false;
  }

  /** Whether the time limit ended it. */
  get timedOut(): boolean {
    return this.outcome === "timed_out";
  }

  /** Whether the cell raised, was interrupted, timed out, or its interpreter died. Warnings are no errors. */
  hasError(): boolean {
    if (this.outcome === "exited") return this.stateLost || this.exitCode !== 0;
    return this.outcome !== "ok";
  }

  /** What it wrote to standard output, then its last expression's value; trailing white space is left out. */
  async output(): Promise<string> {
    return joined(this.stdout, this.result?.["text/plain"]);
  }

  /** What it wrote to standard error, and the traceback of what it raised; trailing white space is left out. */
  async error(): Promise<string> {
    return joined(this.stderr, this.raised?.traceback);
  }

  /** What `console.log` shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `Execution { outcome: '${this.outcome}', stdout: ${JSON.stringify(this.stdout.slice(0, 60))} }`;
  }
}

/** What a command came to. */
export class CommandExecution {
  readonly #body: RunBody;
  /** The program. */
  readonly command: string;
  /** Its arguments. */
  readonly args: readonly string[];

  constructor(body: RunBody, command: string, args: readonly string[]) {
    this.#body = body;
    this.command = command;
    this.args = args;
  }

  /** How it ended. */
  get outcome(): Outcome {
    return this.#body.outcome;
  }

  /** The run's id on the server. */
  get runId(): string {
    return this.#body.id ?? "";
  }

  /** Its exit code; 128 and the signal's number where a signal ended it, -1 where there is none. */
  get exitCode(): number {
    const { exit_code: code, signal } = this.#body;
    return code ?? (signal ? 128 + signal : -1);
  }

  /** The number of the signal that ended it. */
  get signal(): number | null {
    return this.#body.signal ?? null;
  }

  /** Whether it exited with 0. */
  get success(): boolean {
    return this.outcome === "exited" && this.exitCode === 0;
  }

  /** What was written to standard output, as it was written. */
  get stdout(): string {
    return this.#body.stdout;
  }

  /** What was written to standard error, as it was written. */
  get stderr(): string {
    return this.#body.stderr;
  }

  /** Bytes of output past the limit that are not in `stdout` and `stderr`, where a mark stands for them. */
  get leftOut(): number {
    return leftOutOf(this.#body);
  }

  /** Seconds that it ran, by the server's clock. */
  get duration(): number {
    return this.#body.duration ?? 0;
  }

  /** Whether the time limit ended it. */
  get timedOut(): boolean {
    return this.outcome === "timed_out";
  }

  /** Standard output without trailing white space. */
  async output(): Promise<string> {
    return this.stdout.trimEnd();
  }

  /** Standard error without trailing white space. */
  async error(): Promise<string> {
    return this.stderr.trimEnd();
  }

  /** What `console.log` shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `CommandExecution { command: '${this.command}', exitCode: ${this.exitCode} }`;
  }
}

function leftOutOf(body: RunBody): number {
  return (body.stdout_left_out ?? 0) + (body.stderr_left_out ?? 0);
}

/** Two texts, the second beginning on a line of its own. */
function joined(text: string, more: string | undefined): string {
  if (more === undefined) return text.trimEnd();
  const between = text === "" || text.endsWith("\n") ? "" : "\n";
  return (text + between + more).trimEnd();
}
