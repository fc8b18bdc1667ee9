import { InvalidRequestError } from "./errors.js";
import { requireFinite } from "./json.js";

/** Kinds of isolation. */
export type Isolation = "auto" | "container" | "gvisor" | "microvm";

/** What a sandbox may reach: nothing, or the public internet. */
export type Network = "none" | "public";

/** What a sandbox object is told when it is made. Everything has a default. */
export interface SandboxOptions {
  /** The server: `http://host:port` or `unix:/path`. Else `MSB_SERVER_URL`, else the local one, started if need be. */
  readonly serverUrl?: string | undefined;
  /** The key to send; else `MSB_API_KEY`. The local socket needs none. */
  readonly apiKey?: string | undefined;
  /** Unique in its namespace; made up where missing. */
  readonly name?: string | undefined;
  /** Default: `default`. */
  readonly namespace?: string | undefined;
  /** The language's own where missing. */
  readonly image?: string | undefined;
  /** The strongest that the server's machine has where missing. */
  readonly isolation?: Isolation | undefined;
  /** MiB. */
  readonly memory?: number | undefined;
  /** CPUs; fractions are allowed. */
  readonly cpus?: number | undefined;
  /** At most so many processes and threads. */
  readonly processes?: number | undefined;
  /** MiB. */
  readonly disk?: number | undefined;
  /** Environment of everything that runs in it. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** For finding it again. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Default: `public`. */
  readonly network?: Network | undefined;
  /** Seconds from its creation to its end, whatever happens. */
  readonly timeToLive?: number | undefined;
  /** It is stopped when unused for so many seconds; 0 for never. */
  readonly idleTimeout?: number | undefined;
  /** Whether it is removed when it is stopped. Default: true. */
  readonly ephemeral?: boolean | undefined;
  /** Seconds to wait until it is usable. Default: 180. */
  readonly startTimeout?: number | undefined;
}

/** What `create` takes beside that. */
export interface CreateOptions extends SandboxOptions {
  /** Ends the waiting for its start. */
  readonly signal?: AbortSignal | undefined;
}

/** What `start` may change. */
export interface StartOptions {
  readonly image?: string | undefined;
  /** MiB. */
  readonly memory?: number | undefined;
  readonly cpus?: number | undefined;
  /** Seconds to wait until it is usable. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How a cell is run. */
export interface RunOptions {
  /** Seconds until it is interrupted, its state kept if it yields; 0 for none. The server's default is 300. */
  readonly timeout?: number | undefined;
  /** The interpreter, one of several of a sandbox; the language's own where missing. */
  readonly context?: string | undefined;
  /** Whether it goes on when this client goes away. */
  readonly keepRunning?: boolean | undefined;
  /** Bytes kept of each output in the answer, its first and last part. The server's default is 1 MiB. */
  readonly outputLimit?: number | undefined;
  /** Ends the call, and with that, unless `keepRunning` is set, the cell. */
  readonly signal?: AbortSignal | undefined;
}

/** How a command is run. */
export interface CommandOptions {
  /** Seconds until it is ended; 0 for none. The server's default is 300. */
  readonly timeout?: number | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** The user's home where missing. */
  readonly workingDirectory?: string | undefined;
  /** Default: `sandbox`. */
  readonly user?: "sandbox" | "root" | undefined;
  /** What it reads; nothing where missing. */
  readonly stdin?: string | Uint8Array | undefined;
  /** Whether it goes on when this client goes away. */
  readonly keepRunning?: boolean | undefined;
  /** Bytes kept of each output in the answer, its first and last part. The server's default is 1 MiB. */
  readonly outputLimit?: number | undefined;
  /** Ends the call, and with that, unless `keepRunning` is set, the command. */
  readonly signal?: AbortSignal | undefined;
}

/** How a file is read. */
export interface ReadOptions {
  /** With whose rights. Default: `sandbox`. */
  readonly user?: "sandbox" | "root" | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How a file is written. */
export interface WriteOptions extends ReadOptions {
  /** Permissions. Default: 0o644. */
  readonly mode?: number | undefined;
  /** Whether missing folders are made. Default: true. */
  readonly makeDirectories?: boolean | undefined;
}

/** How a call is made that has no options of its own. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

const SANDBOX_OPTIONS: Readonly<Record<keyof SandboxOptions, true>> = {
  serverUrl: true,
  apiKey: true,
  name: true,
  namespace: true,
  image: true,
  isolation: true,
  memory: true,
  cpus: true,
  processes: true,
  disk: true,
  env: true,
  labels: true,
  network: true,
  timeToLive: true,
  idleTimeout: true,
  ephemeral: true,
  startTimeout: true,
};

/** Refuses options that do not exist and numbers that are none, since a misspelt limit would be a missing one. */
export function requireKnown(options: object): void {
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(SANDBOX_OPTIONS, name)) {
      throw new InvalidRequestError(`no such option of a sandbox: '${name}'`, { details: { field: name } });
    }
    requireFinite(name, value);
  }
}

/** One method for each option, and `build`. */
export type SandboxOptionsBuilder = {
  readonly [Name in keyof SandboxOptions]-?: (value: NonNullable<SandboxOptions[Name]>) => SandboxOptionsBuilder;
} & {
  /** Gives the options, for `new PythonSandbox(options)` or `PythonSandbox.create(options)`. */
  build(): SandboxOptions;
};

/** Options put together step by step; an object literal is the same. */
export const SandboxOptions = {
  builder: (): SandboxOptionsBuilder => builderOf({}),
};

function builderOf(options: SandboxOptions): SandboxOptionsBuilder {
  const setters = Object.keys(SANDBOX_OPTIONS).map((name) => [
    name,
    (value: unknown) => builderOf({ ...options, [name]: value }),
  ]);
  return { ...Object.fromEntries(setters), build: () => options } as SandboxOptionsBuilder;
}
