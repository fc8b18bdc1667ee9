import { camelCased, type Json } from "./json.js";
import type { CallOptions } from "./options.js";
import type { Session } from "./session.js";

const MEBIBYTE = 1024 * 1024;

/** What a sandbox uses, by its host's count. */
export interface MetricsData {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly running: boolean;
  /** Processing time since the last question, in per cent of one CPU. */
  readonly cpuPercent: number | null;
  readonly memoryBytes: number | null;
  readonly processes: number | null;
  /** Of its writable layer. */
  readonly diskBytes: number | null;
}

/** Tells what a sandbox uses. */
export class Metrics {
  readonly #session: Session;

  /** @internal */
  constructor(session: Session) {
    this.#session = session;
  }

  /** Everything, of one moment. */
  async all({ signal }: CallOptions = {}): Promise<MetricsData> {
    const body = await this.#session.ask<Json>(this.#session.calls.metrics(), signal);
    return camelCased(body) as unknown as MetricsData;
  }

  /** Processing time in use, in per cent of one CPU. */
  async cpu(options: CallOptions = {}): Promise<number | null> {
    return (await this.all(options)).cpuPercent;
  }

  /** Memory in use, in MiB. */
  async memory(options: CallOptions = {}): Promise<number | null> {
    const { memoryBytes } = await this.all(options);
    return memoryBytes === null ? null : Math.floor(memoryBytes / MEBIBYTE);
  }

  /** Bytes that its writable layer takes. */
  async disk(options: CallOptions = {}): Promise<number | null> {
    return (await this.all(options)).diskBytes;
  }

  /** Whether it runs. */
  async isRunning(options: CallOptions = {}): Promise<boolean> {
    return (await this.all(options)).running;
  }
}
