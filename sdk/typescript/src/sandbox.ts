/// <reference lib="esnext.disposable" preserve="true" />
import { Command } from "./command.js";
import { Contexts } from "./contexts.js";
import type { RunEvent } from "./events.js";
import { Execution, type RunBody } from "./execution.js";
import { Files } from "./files.js";
import type { LogEntry, SandboxInfo } from "./info.js";
import { camelCased, type Json } from "./json.js";
import { Metrics } from "./metrics.js";
import {
  type AttachOptions,
  type CallOptions,
  type ConnectOptions,
  type CreateOptions,
  type ExtendOptions,
  type LogOptions,
  type RunOptions,
  requireKnown,
  type SandboxOptions,
  type StartOptions,
  type StreamOptions,
} from "./options.js";
import { Session } from "./session.js";

/**
 * A sandbox with interpreters that keep their state between runs.
 *
 * `await using sandbox = await PythonSandbox.create()` starts one and stops it at the end of the block; elsewhere `stop`
 * belongs in a `finally`. All methods reject with a `SandboxError`, by the code of what went wrong; what the code inside
 * does wrong is a result.
 */
export class BaseSandbox implements AsyncDisposable {
  /** The language of its cells, as the server names it. */
  static readonly language: string = "python";
  /** The image that is used where none is named. */
  static readonly defaultImage: string = "microsandbox/python";

  /** Runs programs in it. */
  readonly command: Command;
  /** Opens further interpreters in it. */
  readonly contexts: Contexts;
  /** Reads and writes its files. */
  readonly files: Files;
  /** Tells what it uses. */
  readonly metrics: Metrics;
  readonly #session: Session;

  /** A sandbox that is not started yet. */
  constructor(options: SandboxOptions = {}) {
    requireKnown(options);
    const { language, defaultImage } = new.target;
    this.#session = new Session(options, language, defaultImage);
    this.command = new Command(this.#session);
    this.contexts = new Contexts(this.#session);
    this.files = new Files(this.#session);
    this.metrics = new Metrics(this.#session);
  }

  /** Creates and starts a sandbox. */
  static async create<T extends BaseSandbox>(
    this: new (
      options?: SandboxOptions,
    ) => T,
    options: CreateOptions = {},
  ): Promise<T> {
    const { signal, ...rest } = options;
    const sandbox = new this(rest);
    await sandbox.start({ signal });
    return sandbox;
  }

  /**
   * Finds one that exists, by its name or id.
   *
   * The end of a block with `await using` leaves it as it is. One that is stopped may be started.
   */
  static async connect<T extends BaseSandbox>(
    this: new (
      options?: SandboxOptions,
    ) => T,
    name: string,
    options: ConnectOptions = {},
  ): Promise<T> {
    const { signal, ...rest } = options;
    const sandbox = new this({ ...rest, name });
    await sandbox.#session.adopt(signal);
    return sandbox;
  }

  /** Its name, made up where none was given. */
  get name(): string {
    return this.#session.calls.name;
  }

  /** The namespace in which its name is unique. */
  get namespace(): string {
    return this.#session.calls.namespace;
  }

  /** The server that was named, or the default one. */
  get serverUrl(): string {
    return this.#session.serverUrl;
  }

  /** The key that is sent. */
  get apiKey(): string | undefined {
    return this.#session.apiKey;
  }

  /** Whether this object has started it, or found it running, and not stopped it. */
  get isStarted(): boolean {
    return this.#session.isStarted;
  }

  /** Gives the image that is used where none is named. */
  async getDefaultImage(): Promise<string> {
    return (this.constructor as typeof BaseSandbox).defaultImage;
  }

  /** Creates it and waits until it is usable; nothing happens where this object has started it already. */
  async start(options?: StartOptions): Promise<void>;
  /** The same in the form of the original clients. */
  async start(image?: string, memory?: number, cpus?: number, timeout?: number): Promise<void>;
  async start(first: StartOptions | string = {}, memory?: number, cpus?: number, timeout?: number): Promise<void> {
    await this.#session.start(
      typeof first === "string" || memory !== undefined || cpus !== undefined || timeout !== undefined
        ? { image: typeof first === "string" ? first : undefined, memory, cpus, timeout }
        : first,
    );
  }

  /** Ends its processes; an ephemeral one is removed. Nothing happens where it is stopped already. */
  async stop({ signal }: CallOptions = {}): Promise<void> {
    await this.#session.stop(signal);
  }

  /** Ends it and removes all that there is of it, its disk too. Nothing happens where it is gone already. */
  async delete({ signal }: CallOptions = {}): Promise<void> {
    await this.#session.delete(signal);
  }

  /** Asks what the server knows of it. */
  async info({ signal }: CallOptions = {}): Promise<SandboxInfo> {
    const body = await this.#session.ask<Json>(this.#session.calls.info(), signal);
    return camelCased(body) as unknown as SandboxInfo;
  }

  /** Changes how long it lives. It counts as use. */
  async extend({ signal, ...limits }: ExtendOptions = {}): Promise<SandboxInfo> {
    const body = await this.#session.ask<Json>(this.#session.calls.extend(limits), signal);
    return camelCased(body) as unknown as SandboxInfo;
  }

  /** Gives its log, the oldest line first. */
  async logs({ signal, ...query }: LogOptions = {}): Promise<LogEntry[]> {
    const call = this.#session.calls.logs(query);
    return (await this.#session.ask<{ entries: LogEntry[] }>(call, signal)).entries;
  }

  /** Runs a cell and waits for its end. */
  async run(code: string, { signal, timeout, ...rest }: RunOptions = {}): Promise<Execution> {
    const { language, calls } = this.#session;
    const call = calls.run(language, { code, timeout, ...rest });
    return new Execution(await this.#session.json<RunBody>(call, signal), language);
  }

  /** Runs a cell and gives its events as they happen. Leaving the iteration early interrupts the cell. */
  stream(code: string, { signal, timeout, ...rest }: StreamOptions = {}): AsyncGenerator<RunEvent, void, void> {
    const { language, calls } = this.#session;
    return this.#session.events(calls.run(language, { code, timeout, ...rest }), signal);
  }

  /**
   * Gives the events of a cell or command that runs, or has ended lately, from an offset of its output: the `offset` of the
   * last output that was seen. What is no longer kept is left out.
   *
   * Leaving the iteration early interrupts the run where nobody else follows it, unless it was begun with `keepRunning`.
   */
  attach(runId: string, offset = 0, { signal, ...query }: AttachOptions = {}): AsyncGenerator<RunEvent, void, void> {
    return this.#session.events(this.#session.calls.attach(runId, { offset, ...query }), signal);
  }

  /** Stops a cell or command, whoever began it; its outcome will be `interrupted`. Harmless after its end. */
  async interrupt(runId: string, { signal }: CallOptions = {}): Promise<void> {
    await this.#session.json(this.#session.calls.interrupt(runId), signal);
  }

  /** Stops it, for `await using`; one that was found by `connect` is left as it is. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#session.isFound) await this.stop();
  }

  /** What `console.log` shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `${this.constructor.name} { name: '${this.name}', isStarted: ${this.isStarted} }`;
  }
}

/** A sandbox whose cells are Python, with pip. */
export class PythonSandbox extends BaseSandbox {
  static override readonly language: string = "python";
  static override readonly defaultImage: string = "microsandbox/python";
}

/** A sandbox whose cells are JavaScript, with npm. */
export class NodeSandbox extends BaseSandbox {
  static override readonly language: string = "node";
  static override readonly defaultImage: string = "microsandbox/node";
}
