import type { Isolation, Network } from "./options.js";

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

/** A line of a sandbox's log. Gaps in `sequence` are lines that the bounded log has dropped. */
export interface LogEntry {
  readonly sequence: number;
  /** RFC 3339 in UTC. */
  readonly time: string;
  /** `server`, `agent`, `network`, or `stdout` and `stderr` for output outside of any cell. */
  readonly source: string;
  readonly level: "info" | "warning" | "error";
  readonly text: string;
}

/** An image that sandboxes can be made of. */
export interface ImageInfo {
  readonly name: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly languages: readonly string[];
  readonly createdAt: string;
}

/** What a server says of itself. */
export interface ServerInfo {
  readonly version: string;
  /** Of the server's process on its host. */
  readonly pid: number;
  /** False once it is stopping. */
  readonly accepting: boolean;
  readonly startedAt: string;
  /** Whether requests on TCP need a key. */
  readonly keysRequired: boolean;
  /** The kinds that work there, the best first. */
  readonly isolation: readonly string[];
  /** Program and version by kind of isolation. */
  readonly runtimes: Readonly<Record<string, string>>;
  /** Sandboxes that run. */
  readonly running: number;
  /** All sandboxes, stopped ones too. */
  readonly stored: number;
  readonly maximumSandboxes: number;
}
