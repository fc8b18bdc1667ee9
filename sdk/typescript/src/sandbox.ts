/// <reference lib="esnext.disposable" preserve="true" />
import { Command } from "./command.js";
import type { RunEvent } from "./events.js";
import { Execution, type RunBody } from "./execution.js";
import { Files } from "./files.js";
import { camelCased, type Json } from "./json.js";
import { Metrics } from "./metrics.js";
import {
  type CallOptions,
  type CreateOptions,
  type Isolation,
  type Network,
  type RunOptions,
  requireKnown,
  type SandboxOptions,
  type StartOptions,
} from "./options.js";
import { Session } from "./session.js";

/** What the server knows of a sandbox. Times are RFC 3339 in UTC, durations seconds, memory and disk MiB. */
export interface SandboxInfo {
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
  readonly state: "starting" | "running" | "stopping" | "stopped" | "deleting";
  readonly image: string;
  readonly isolation: Exclude<Isolation, "auto">;
  /** That its image has interpreters for, the default one first. */
  readonly languages: readonly string[];
  readonly memory: number;
  readonly cpus: number;
  readonly processes: number;
  readonly disk: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly network: Network;
  readonly timeToLive: number | null;
  readonly idleTimeout: number;
  readonly ephemeral: boolean;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly stoppedAt: string | null;
  readonly expiresAt: string | null;
  readonly endReason: string | null;
}

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
  /** Reads and writes its files. */
  readonly files: Files;
  /** Tells what it uses. */
  readonly metrics: Metrics;
  readonly #language: string;
  readonly #session: Session;

  /** A sandbox that is not started yet. */
  constructor(options: SandboxOptions = {}) {
    requireKnown(options);
    const { language, defaultImage } = new.target;
    this.#language = language;
    this.#session = new Session(options, defaultImage);
    this.command = new Command(this.#session);
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

  /** Whether this object has started it and not stopped it. */
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
    const body = await this.#session.json<Json>(this.#session.calls.info(), signal);
    return camelCased(body) as unknown as SandboxInfo;
  }

  /** Runs a cell and waits for its end. */
  async run(code: string, { signal, timeout, ...rest }: RunOptions = {}): Promise<Execution> {
    const call = this.#session.calls.run({ language: this.#language, code, timeout, ...rest });
    return new Execution(await this.#session.json<RunBody>(call, signal), this.#language);
  }

  /** Runs a cell and gives its events as they happen. Leaving the iteration early interrupts the cell. */
  stream(code: string, { signal, timeout, ...rest }: RunOptions = {}): AsyncGenerator<RunEvent, void, void> {
    const call = this.#session.calls.run({ language: this.#language, code, timeout, ...rest });
    return this.#session.events(call, signal);
  }

  /** Stops it, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
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
