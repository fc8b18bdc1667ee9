/// <reference lib="esnext.disposable" preserve="true" />
import { ContextNotFoundError, SandboxNotFoundError, SandboxNotRunningError } from "./errors.js";
import type { RunEvent } from "./events.js";
import { Execution, type RunBody } from "./execution.js";
import type { CallOptions, CellOptions, ContextOptions, ContextStreamOptions } from "./options.js";
import type { Session } from "./session.js";

const GONE = [ContextNotFoundError, SandboxNotFoundError, SandboxNotRunningError];

/** A context as the wire has it. */
interface ContextBody {
  readonly id: string;
  readonly language: string;
  readonly interpreter_version?: string | null;
  readonly ready?: boolean;
}

/** An interpreter of a sandbox, with a state of its own. `await using` closes it at the end of the block. */
export class Context implements AsyncDisposable {
  readonly id: string;
  readonly language: string;
  /** As it was when this was opened or listed; null until it is ready. */
  readonly interpreterVersion: string | null;
  /** Whether it was ready when this was opened or listed. */
  readonly ready: boolean;
  readonly #session: Session;

  /** @internal */
  constructor(session: Session, body: ContextBody) {
    this.#session = session;
    this.id = body.id;
    this.language = body.language;
    this.interpreterVersion = body.interpreter_version ?? null;
    this.ready = body.ready ?? false;
  }

  /** Runs a cell in it and waits for its end. */
  async run(code: string, { signal, timeout, ...rest }: CellOptions = {}): Promise<Execution> {
    const call = this.#session.calls.run(this.language, { code, timeout, ...rest, context: this.id });
    return new Execution(await this.#session.json<RunBody>(call, signal), this.language);
  }

  /** Runs a cell in it and gives its events as they happen. Leaving the iteration early interrupts the cell. */
  stream(code: string, { signal, timeout, ...rest }: ContextStreamOptions = {}): AsyncGenerator<RunEvent, void, void> {
    const call = this.#session.calls.run(this.language, { code, timeout, ...rest, context: this.id });
    return this.#session.events(call, signal);
  }

  /** Ends it; its state is lost. Nothing happens where it is gone already. A language's default context stays open. */
  async close({ signal }: CallOptions = {}): Promise<void> {
    try {
      await this.#session.json(this.#session.calls.closeContext(this.id), signal);
    } catch (error) {
      if (!GONE.some((kind) => error instanceof kind)) throw error;
    }
  }

  /** Closes it, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The interpreters of a sandbox: a default one for each language, named like it, and those that were opened. */
export class Contexts {
  readonly #session: Session;

  /** @internal */
  constructor(session: Session) {
    this.#session = session;
  }

  /** Opens a further one: of the sandbox's language and with a new id, unless these are given. */
  async open({ signal, language, ...rest }: ContextOptions = {}): Promise<Context> {
    const call = this.#session.calls.openContext({ language: language ?? this.#session.language, ...rest });
    return new Context(this.#session, await this.#session.json<ContextBody>(call, signal));
  }

  /** Gives all that are open. */
  async list({ signal }: CallOptions = {}): Promise<Context[]> {
    const call = this.#session.calls.contexts();
    const { contexts } = await this.#session.json<{ contexts: ContextBody[] }>(call, signal);
    return contexts.map((body) => new Context(this.#session, body));
  }

  /** Ends one; its state is lost. */
  async close(id: string, { signal }: CallOptions = {}): Promise<void> {
    await this.#session.json(this.#session.calls.closeContext(id), signal);
  }
}
