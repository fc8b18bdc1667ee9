import { type Json, requireFinite, snakeCasedText } from "./json.js";

const DEFAULT_NAMESPACE = "default";
// Time limit of a run for which none is given; the server's default.
const RUN_SECONDS = 300;
// A call waits this much longer than the server's own limit for it.
const MARGIN_SECONDS = 30;
const CONTROL_SECONDS = 120;
// Bytes a second at which a large body is still waited for.
const SLOWEST = 64 * 1024;

/** One request, as it stands on the wire (`spec/openapi.yaml`). */
export interface Call {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: string | Uint8Array;
  readonly contentType?: string;
  /** Seconds until the caller gives up; none with 0. */
  readonly timeout: number;
}

/** What a new sandbox is given; what is undefined is left to the server. */
export interface Wanted {
  readonly image: string;
  readonly isolation: string | undefined;
  readonly memory: number | undefined;
  readonly cpus: number | undefined;
  readonly processes: number | undefined;
  readonly disk: number | undefined;
  readonly env: Readonly<Record<string, string>> | undefined;
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly network: string | undefined;
  readonly timeToLive: number | undefined;
  readonly idleTimeout: number | undefined;
  readonly ephemeral: boolean;
}

/** A cell, as it is asked for. */
export type Cell = Json & {
  readonly code: string;
  readonly context?: string | undefined;
  readonly timeout: number | undefined;
  readonly encoding?: string | undefined;
};

/** The requests about one sandbox. */
export class Calls {
  readonly name: string;
  readonly namespace: string;
  readonly #id: string | undefined;

  /** For one that is named by its id where that is known, else by its name in its namespace. */
  constructor(name: string, namespace: string | undefined, id?: string) {
    this.name = name;
    this.namespace = namespace || DEFAULT_NAMESPACE;
    this.#id = id;
  }

  create(wanted: Wanted, timeout: number): Call {
    return post("/v1/sandboxes", { name: this.name, namespace: this.namespace, ...wanted }, timeout);
  }

  start(timeout: number): Call {
    return post(this.#path("/start"), {}, timeout);
  }

  stop(): Call {
    return post(this.#path("/stop"), {}, CONTROL_SECONDS);
  }

  remove(): Call {
    return { method: "DELETE", path: this.#path(""), timeout: CONTROL_SECONDS };
  }

  info(): Call {
    return this.#get("");
  }

  extend(limits: Json): Call {
    return { ...post(this.#path(""), limits, CONTROL_SECONDS), method: "PATCH" };
  }

  metrics(): Call {
    return this.#get("/metrics");
  }

  logs(query: Json): Call {
    return this.#get("/logs", query);
  }

  /** A cell goes to a context, or where none is named to the default one of a language. */
  run(language: string, cell: Cell): Call {
    const { encoding, ...body } = cell;
    const place = cell.context === undefined ? { language } : {};
    return post(this.#path("/runs", { encoding }), { ...place, ...body }, limitOf(cell.timeout));
  }

  attach(runId: string, query: Json): Call {
    return this.#get(`/runs/${encodeURIComponent(runId)}`, query);
  }

  interrupt(runId: string): Call {
    return post(this.#path(`/runs/${encodeURIComponent(runId)}/interrupt`), {}, CONTROL_SECONDS);
  }

  command(command: { argv: readonly string[]; timeout: number | undefined; encoding?: unknown } & Json): Call {
    const { encoding, ...body } = command;
    return post(this.#path("/commands", { encoding }), body, limitOf(command.timeout));
  }

  signal(runId: string, signal: Json): Call {
    return post(this.#path(`/commands/${encodeURIComponent(runId)}/signal`), signal, CONTROL_SECONDS);
  }

  openContext(wanted: Json): Call {
    return post(this.#path("/contexts"), wanted, CONTROL_SECONDS);
  }

  contexts(): Call {
    return this.#get("/contexts");
  }

  closeContext(id: string): Call {
    return { method: "DELETE", path: this.#path(`/contexts/${encodeURIComponent(id)}`), timeout: CONTROL_SECONDS };
  }

  readFile(query: Json): Call {
    return { method: "GET", path: this.#path("/files", query), timeout: CONTROL_SECONDS };
  }

  writeFile(query: Json, body: string | Uint8Array): Call {
    const path = this.#path("/files", query);
    const timeout = CONTROL_SECONDS + Buffer.byteLength(body) / SLOWEST;
    return { method: "PUT", path, body, contentType: "application/octet-stream", timeout };
  }

  #get(rest: string, query?: Json): Call {
    return get(this.#path(rest, query));
  }

  #path(rest: string, query: Json = {}): string {
    const isNamed = this.#id === undefined && this.namespace !== DEFAULT_NAMESPACE;
    const namespace = isNamed ? this.namespace : undefined;
    return withQuery(`/v1/sandboxes/${encodeURIComponent(this.#id ?? this.name)}${rest}`, { ...query, namespace });
  }
}

/** The requests about a server. */
export const serverCalls = {
  sandboxes: (namespace: string | undefined, labels: Readonly<Record<string, string>>): Call =>
    get(withQuery("/v1/sandboxes", { namespace, label: Object.entries(labels).map((pair) => pair.join("=")) })),
  images: (): Call => get("/v1/images"),
  info: (): Call => get("/v1/info"),
};

function get(path: string): Call {
  return { method: "GET", path, timeout: CONTROL_SECONDS };
}

/** A path with what is not undefined; each of an array's values has a pair of its own. */
function withQuery(path: string, query: Json): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : value === undefined ? [] : [value]) {
      requireFinite(name, each);
      pairs.append(name, String(each));
    }
  }
  return pairs.size > 0 ? `${path}?${pairs}` : path;
}

function post(path: string, body: object, timeout: number): Call {
  return { method: "POST", path, body: snakeCasedText(body), contentType: "application/json", timeout };
}

function limitOf(timeout: number | undefined): number {
  return timeout === 0 ? 0 : Math.max(timeout ?? RUN_SECONDS, 0) + MARGIN_SECONDS;
}
