import { randomBytes } from "node:crypto";
import { DEFAULT_URL, namedKey, namedServer } from "./address.js";
import { type Call, Calls, type Wanted } from "./calls.js";
import { NameTakenError, SandboxNotFoundError, SandboxNotRunningError } from "./errors.js";
import { readEvent } from "./event-parser.js";
import type { RunEvent } from "./events.js";
import type { Json } from "./json.js";
import type { SandboxOptions, StartOptions } from "./options.js";
import { Transport } from "./transport.js";

const START_SECONDS = 180;

/** What is needed of a sandbox's description. */
type SandboxBody = Json & {
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
  readonly state: string;
  readonly ephemeral: boolean;
};

/** What a sandbox object shares with its parts: the server, the sandbox that is meant, and whether it is started. */
export class Session {
  readonly serverUrl: string;
  readonly apiKey: string | undefined;
  readonly language: string;
  calls: Calls;
  isStarted = false;
  /** Whether it was found and not created, so that a block's end leaves it as it is. */
  isFound = false;
  #exists = false;
  readonly #transport: Transport;
  readonly #startTimeout: number;
  #wanted: Wanted;

  constructor(options: SandboxOptions, language: string, defaultImage: string) {
    this.language = language;
    const server = namedServer(options.serverUrl);
    this.serverUrl = server ?? DEFAULT_URL;
    this.apiKey = namedKey(options.apiKey);
    this.calls = new Calls(options.name || `sandbox-${randomBytes(4).toString("hex")}`, options.namespace);
    this.#transport = new Transport(server, this.apiKey);
    this.#startTimeout = options.startTimeout ?? START_SECONDS;
    this.#wanted = {
      image: options.image || defaultImage,
      isolation: options.isolation,
      memory: options.memory,
      cpus: options.cpus,
      processes: options.processes,
      disk: options.disk,
      env: options.env,
      labels: options.labels,
      network: options.network,
      timeToLive: options.timeToLive,
      idleTimeout: options.idleTimeout,
      ephemeral: options.ephemeral ?? true,
    };
  }

  async start({ image, memory, cpus, timeout, signal }: StartOptions): Promise<void> {
    if (this.isStarted) return;
    const { image: oldImage, memory: oldMemory, cpus: oldCpus } = this.#wanted;
    this.#wanted = {
      ...this.#wanted,
      image: image || oldImage,
      memory: memory ?? oldMemory,
      cpus: cpus ?? oldCpus,
    };
    const limit = timeout ?? this.#startTimeout;
    if (this.isFound) {
      await this.#transport.json(this.calls.start(limit), signal);
    } else {
      await this.#create(limit, signal);
    }
    this.isStarted = true;
    this.#exists = true;
  }

  /** Takes over what the server knows of one that exists, and names it by its id from now on. */
  async adopt(signal: AbortSignal | undefined): Promise<void> {
    const info = (await this.#transport.json(this.calls.info(), signal)) as SandboxBody;
    this.calls = new Calls(info.name, info.namespace, info.id);
    this.#wanted = { ...this.#wanted, ephemeral: info.ephemeral };
    this.isStarted = info.state === "running";
    this.isFound = true;
    this.#exists = true;
  }

  async stop(signal?: AbortSignal): Promise<void> {
    if (!this.isStarted) return;
    // It may have ended by itself.
    await this.#end(this.calls.stop(), signal);
    this.#exists = !this.#wanted.ephemeral;
  }

  async delete(signal?: AbortSignal): Promise<void> {
    // It is gone where it was ephemeral and is stopped.
    await this.#end(this.calls.remove(), signal);
    this.#exists = false;
  }

  /** Makes a call that a stopped sandbox answers too. */
  async ask<T>(call: Call, signal?: AbortSignal): Promise<T> {
    this.#require(this.#exists);
    return (await this.#transport.json(call, signal)) as T;
  }

  /** Makes a call that a running sandbox answers. */
  async json<T>(call: Call, signal?: AbortSignal): Promise<T> {
    this.#require(this.isStarted);
    return (await this.#transport.json(call, signal)) as T;
  }

  async bytes(call: Call, signal?: AbortSignal): Promise<Uint8Array> {
    this.#require(this.isStarted);
    return this.#transport.bytes(call, signal);
  }

  async *events(call: Call, signal?: AbortSignal): AsyncGenerator<RunEvent, void, void> {
    this.#require(this.isStarted);
    for await (const raw of this.#transport.events(call, signal)) {
      const event = readEvent(raw);
      if (event !== undefined) yield event;
    }
  }

  async #end(call: Call, signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#transport.bytes(call, signal);
    } catch (error) {
      if (!(error instanceof SandboxNotFoundError || error instanceof SandboxNotRunningError)) throw error;
    }
    this.isStarted = false;
  }

  async #create(limit: number, signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#transport.json(this.calls.create(this.#wanted, limit), signal);
    } catch (error) {
      if (!(error instanceof NameTakenError) || this.#wanted.ephemeral) throw error;
      await this.#transport.json(this.calls.start(limit), signal);
    }
  }

  #require(condition: boolean): void {
    if (!condition) throw new SandboxNotRunningError("Sandbox is not started. Call start() first.");
  }
}
