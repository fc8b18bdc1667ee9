import { type Json, snakeCasedText } from "./json.js";

const DEFAULT_NAMESPACE = "default";
// Time limit of a run for which none is given; the server's default.
const RUN_SECONDS = 300;
// A call waits this much longer than the server's own limit for it.
const MARGIN_SECONDS = 30;
const CONTROL_SECONDS = 120;

/** One request, as it stands on the wire (`spec/openapi.yaml`). */
export interface Call {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
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

/** The requests about one sandbox. */
export class Calls {
  readonly name: string;
  readonly namespace: string;

  constructor(name: string, namespace: string | undefined) {
    this.name = name;
    this.namespace = namespace || DEFAULT_NAMESPACE;
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

  metrics(): Call {
    return this.#get("/metrics");
  }

  run(cell: { language: string; code: string; timeout: number | undefined } & Json): Call {
    return post(this.#path("/runs"), cell, limitOf(cell.timeout));
  }

  command(command: { argv: readonly string[]; timeout: number | undefined } & Json): Call {
    return post(this.#path("/commands"), command, limitOf(command.timeout));
  }

  readFile(query: Json): Call {
    return { method: "GET", path: this.#path("/files", query), timeout: CONTROL_SECONDS };
  }

  writeFile(query: Json, body: string | Uint8Array): Call {
    const path = this.#path("/files", query);
    return { method: "PUT", path, body, contentType: "application/octet-stream", timeout: CONTROL_SECONDS };
  }

  #get(rest: string): Call {
    return { method: "GET", path: this.#path(rest), timeout: CONTROL_SECONDS };
  }

  #path(rest: string, query: Json = {}): string {
    const pairs = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) pairs.set(name, String(value));
    }
    if (this.namespace !== DEFAULT_NAMESPACE) pairs.set("namespace", this.namespace);
    return `/v1/sandboxes/${encodeURIComponent(this.name)}${rest}${pairs.size > 0 ? `?${pairs}` : ""}`;
  }
}

function post(path: string, body: object, timeout: number): Call {
  return { method: "POST", path, body: snakeCasedText(body), contentType: "application/json", timeout };
}

function limitOf(timeout: number | undefined): number {
  return timeout === 0 ? 0 : Math.max(timeout ?? RUN_SECONDS, 0) + MARGIN_SECONDS;
}
