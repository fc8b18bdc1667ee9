import { urlToHttpOptions } from "node:url";
import { InvalidRequestError } from "./errors.js";

export const DEFAULT_URL = "http://127.0.0.1:5555";
export const DEFAULT_SOCKET = "/run/microsandbox/msb.sock";

/** Where a server listens. */
export interface Address {
  /** For people: its URL, or the path of its socket. */
  readonly where: string;
  /** For Node's client: a socket's path, or host and port. */
  readonly connection: { readonly socketPath: string } | { readonly hostname: string; readonly port: number };
  readonly isTls: boolean;
  /** What goes before every path, empty where the server is not below one. */
  readonly prefix: string;
}

/** The address of a unix socket. Who may open it needs no key. */
export function socketAddress(path: string): Address {
  return { where: path, connection: { socketPath: path }, isTls: false, prefix: "" };
}

/** Reads `http://host:port`, `https://host` or `unix:/path`. */
export function parseAddress(text: string): Address {
  if (text.startsWith("unix:")) return socketAddress(`/${text.slice("unix:".length).replace(/^\/+/, "")}`);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new InvalidRequestError(`not a server's address: '${text}'; write http://host:port or unix:/path`);
  }
  const isTls = url.protocol === "https:";
  const hostname = urlToHttpOptions(url).hostname ?? "127.0.0.1";
  const port = Number(url.port) || (isTls ? 443 : 80);
  const prefix = url.pathname.replace(/\/+$/, "");
  return { where: url.origin + prefix, connection: { hostname, port }, isTls, prefix };
}

/** The server that somebody named: the argument, then `MSB_SERVER_URL`; undefined where nobody did. */
export function namedServer(serverUrl: string | undefined): string | undefined {
  return serverUrl || process.env.MSB_SERVER_URL || undefined;
}

/** The key to send: the argument, then `MSB_API_KEY`. */
export function namedKey(apiKey: string | undefined): string | undefined {
  // A key read from a file ends with a line's end, which a header cannot hold.
  return (apiKey || process.env.MSB_API_KEY)?.trim() || undefined;
}
