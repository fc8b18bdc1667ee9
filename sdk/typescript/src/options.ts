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

/** How a sandbox that exists is found. */
export interface ConnectOptions {
  /** The server: `http://host:port` or `unix:/path`. Else `MSB_SERVER_URL`, else the local one, started if need be. */
  readonly serverUrl?: string | undefined;
  /** The key to send; else `MSB_API_KEY`. The local socket needs none. */
  readonly apiKey?: string | undefined;
  /** Of its name; an id needs none. Default: `default`. */
  readonly namespace?: string | undefined;
  /** Seconds that a later `start` waits until it is usable. Default: 180. */
  readonly startTimeout?: number | undefined;
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

/** How long a sandbox lives; what is missing stays as it was. */
export interface ExtendOptions {
  /** Seconds from now to its end, whatever happens; 0 for no limit. */
  readonly timeToLive?: number | undefined;
  /** It is stopped when unused for so many seconds; 0 for never. */
  readonly idleTimeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Which lines of a log are given. */
export interface LogOptions {
  /** Only lines past this sequence number. */
  readonly after?: number | undefined;
  /** At most so many lines. Default: 1000. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How a cell is run in a context. */
export interface CellOptions {
  /** Seconds until it is interrupted, its state kept if it yields; 0 for none. The server's default is 300. */
  readonly timeout?: number | undefined;
  /** Whether it goes on when this client goes away. */
  readonly keepRunning?: boolean | undefined;
  /** Bytes kept of each output in the answer, its first and last part. The server's default is 1 MiB. */
  readonly outputLimit?: number | undefined;
  /** Ends the call, and with that, unless `keepRunning` is set, the cell. */
  readonly signal?: AbortSignal | undefined;
}

/** How a cell is run. */
export interface RunOptions extends CellOptions {
  /** The id of an interpreter, one of several of a sandbox; the language's own where missing. */
  readonly context?: string | undefined;
}

/** How output comes in events: as text, or with `base64` as the bytes that it is. Default: `text`. */
export interface EncodingOptions {
  readonly encoding?: "text" | "base64" | undefined;
}

/** How a cell's events are given. */
export interface StreamOptions extends Omit<RunOptions, "outputLimit">, EncodingOptions {}

/** How events of a cell in a context are given. */
export interface ContextStreamOptions extends Omit<CellOptions, "outputLimit">, EncodingOptions {}

/** How the events of a run that was begun before are given. */
export interface AttachOptions extends EncodingOptions {
  readonly signal?: AbortSignal | undefined;
}

/** A further interpreter. */
export interface ContextOptions {
  /** The sandbox's own where missing. */
  readonly language?: "python" | "node" | undefined;
  /** By the rules of names; a new one where missing. */
  readonly id?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** The user's home where missing. */
  readonly workingDirectory?: string | undefined;
  /** Default: `sandbox`. */
  readonly user?: "sandbox" | "root" | undefined;
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

/** How a command's events are given. */
export interface CommandStreamOptions extends Omit<CommandOptions, "outputLimit">, EncodingOptions {}

/** How a signal is sent. */
export interface SignalOptions {
  /** Whether it goes to all of the command's process group. Default: true. */
  readonly group?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Where a server is. */
export interface ServerOptions {
  /** `http://host:port` or `unix:/path`. Else `MSB_SERVER_URL`, else the local one, started if need be. */
  readonly serverUrl?: string | undefined;
  /** The key to send; else `MSB_API_KEY`. The local socket needs none. */
  readonly apiKey?: string | undefined;
}

/** Which sandboxes are listed. */
export interface ListOptions {
  /** Only this one's; all without it. */
  readonly namespace?: string | undefined;
  /** That a sandbox must have. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
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
