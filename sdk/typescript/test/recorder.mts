// A small server that remembers what it was asked, and answers by path.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

/** One request. */
export interface Asked {
  readonly line: string;
  readonly accept: string | undefined;
  readonly body: string;
}

/** What was asked, in order, and answers that differ from the usual ones. */
export interface Recorder {
  readonly serverUrl: string;
  readonly asked: Asked[];
  readonly answers: Record<string, unknown>;
  /** The last request, its body parsed where there is one. */
  last(): { line: string; json: unknown };
}

const INFO = { id: "sb0123456789abcdef", name: "x", namespace: "team", state: "running", ephemeral: false };
const CONTEXT = { id: "second", language: "python", interpreter_version: "3.13", ready: true };
const ENTRY = { sequence: 8, time: "t", source: "server", level: "info", text: "m" };
const EVENTS = `event: started
data: {"id": "r1"}

event: stdout
id: 2
data: {"text": "a\\n"}

event: stderr
id: 4
data: {"base64": "/wo="}

event: finished
data: {"outcome": "ok"}

`;

/** Serves until the test's end. */
export async function record(context: TestContext): Promise<Recorder> {
  const asked: Asked[] = [];
  const answers: Record<string, unknown> = {};
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const block of request) body += block;
    const path = request.url ?? "";
    asked.push({ line: `${request.method} ${path}`, accept: request.headers.accept, body });
    if (request.headers.accept === "text/event-stream") response.end(EVENTS);
    else response.end(JSON.stringify(answers[path] ?? usual(path.replace(/\?.*/, ""))));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  const serverUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const last = () => {
    const { line = "", body = "" } = asked.at(-1) ?? {};
    return { line, json: body === "" ? undefined : JSON.parse(body) };
  };
  return { serverUrl, asked, answers, last };
}

function usual(path: string): unknown {
  if (path.endsWith("/contexts")) return { ...CONTEXT, contexts: [CONTEXT] };
  if (path.endsWith("/runs") || path.endsWith("/commands")) {
    return { id: "r1", outcome: "signaled", signal: 9, stdout: "", stderr: "", omitted: ["image/png"] };
  }
  if (path.endsWith("/logs")) return { entries: [ENTRY] };
  if (path === "/v1/images") return { images: [{ name: "microsandbox/python", size_bytes: 1 }] };
  if (path === "/v1/info") return { version: "0.1.0", keys_required: true };
  return { ...INFO, sandboxes: [INFO] };
}
