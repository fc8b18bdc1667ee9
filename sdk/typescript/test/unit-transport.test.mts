// The client's side of HTTP, against small servers that behave well and badly.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import * as http from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import {
  InternalError,
  InvalidNameError,
  InvalidRequestError,
  PythonSandbox,
  ServerUnreachableError,
} from "../src/index.mjs";

interface Seen {
  method: string | undefined;
  url: string | undefined;
  headers: http.IncomingHttpHeaders;
  body: string;
}

type Answer = (seen: Seen, response: http.ServerResponse) => void;

/** A server that remembers what it was asked, and answers a sandbox's creation and end. */
async function serve(context: TestContext, answer: Answer, listen: { port?: number; path?: string } = { port: 0 }) {
  const seen: Seen[] = [];
  const sockets = new Set<Socket>();
  const server = http.createServer(async (request, response) => {
    let body = "";
    for await (const block of request) body += block;
    const entry = { method: request.method, url: request.url, headers: request.headers, body };
    seen.push(entry);
    if (request.url === "/v1/sandboxes" || request.url?.endsWith("/stop")) response.end("{}");
    else answer(entry, response);
  });
  // Connections end when a test says so, however slow this machine is.
  server.keepAliveTimeout = 0;
  let connections = 0;
  server.on("connection", (socket) => {
    connections++;
    sockets.add(socket);
  });
  server.listen({ host: listen.path ? undefined : "127.0.0.1", ...listen });
  await once(server, "listening");
  context.after(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  const serverUrl = listen.path ? `unix:${listen.path}` : `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { server, serverUrl, seen, connections: () => connections };
}

const OK = JSON.stringify({ outcome: "ok", stdout: "1\n", stderr: "" });
const start = (serverUrl: string, more: object = {}) => PythonSandbox.create({ serverUrl, name: "x", ...more });
const sse = (type: string, data: object) => `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;

test("a creation says what was wished and nothing else", async (context) => {
  const { serverUrl, seen } = await serve(context, () => {});
  await start(serverUrl, { apiKey: "msb_k", memory: 128, timeToLive: 60, env: { aB: "c" }, isolation: "gvisor" });
  assert.deepEqual(JSON.parse(seen[0]?.body ?? ""), {
    name: "x",
    namespace: "default",
    image: "microsandbox/python",
    isolation: "gvisor",
    memory: 128,
    env: { aB: "c" },
    time_to_live: 60,
    ephemeral: true,
  });
  assert.equal(seen[0]?.headers.authorization, "Bearer msb_k");
  assert.match(seen[0]?.headers["user-agent"] ?? "", /^microsandbox-typescript\//);
});

test("a run says what was wished, and a namespace is in the query", async (context) => {
  const { serverUrl, seen } = await serve(context, (_, response) => response.end(OK));
  const sandbox = await start(serverUrl, { namespace: "team", apiKey: undefined });
  const execution = await sandbox.run("1", { timeout: 5, keepRunning: true, outputLimit: 9 });
  assert.equal(await execution.output(), "1");
  const asked = seen.at(-1);
  assert.equal(asked?.url, "/v1/sandboxes/x/runs?namespace=team");
  assert.deepEqual(JSON.parse(asked?.body ?? ""), {
    language: "python",
    code: "1",
    timeout: 5,
    keep_running: true,
    output_limit: 9,
  });
  await sandbox.command.run("cat", ["-"], { stdin: new Uint8Array([255]), user: "root", timeout: 0 });
  assert.deepEqual(JSON.parse(seen.at(-1)?.body ?? ""), {
    argv: ["cat", "-"],
    timeout: 0,
    user: "root",
    stdin_base64: "/w==",
  });
  await sandbox.files.write("a b/ü", "é", { mode: 0o600, makeDirectories: false });
  assert.equal(
    seen.at(-1)?.url,
    "/v1/sandboxes/x/files?path=a+b%2F%C3%BC&mode=0600&make_directories=false&namespace=team",
  );
  assert.equal(seen.at(-1)?.body, "é");
});

test("calls one after the other share a connection, over TCP and over a unix socket", async (context) => {
  const folder = mkdtempSync("/tmp/msb-");
  context.after(() => rmSync(folder, { recursive: true }));
  for (const listen of [{ port: 0 }, { path: join(folder, "s") }]) {
    const { serverUrl, connections } = await serve(context, (_, response) => response.end(OK), listen);
    const sandbox = await start(serverUrl);
    for (let i = 0; i < 5; i++) await sandbox.run("1");
    const other = await start(serverUrl);
    await other.run("1");
    assert.equal(connections(), 1);
  }
});

test("a connection that the server ended while the program was busy is not used", async (context) => {
  // In a thread of its own, so that it ends connections while this one is busy: when the first word is 1; then it adds to the second.
  const words = new Int32Array(new SharedArrayBuffer(8));
  const server = new Worker(
    `const { parentPort, workerData: words } = require("node:worker_threads");
    let runs = 0;
    const server = require("node:http").createServer((request, response) => {
      runs += request.url.endsWith("/runs");
      // Without the usual header, by which Node's client would know the limit; the real server does not send it.
      response._removedConnection = true;
      request.resume().on("end", () => response.end(JSON.stringify({ outcome: "ok", stdout: String(runs), stderr: "" })));
    });
    server.keepAliveTimeout = 0;
    server.listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port));
    setInterval(() => {
      if (Atomics.exchange(words, 0, 0) === 0) return;
      server.closeAllConnections();
      Atomics.add(words, 1, 1);
      Atomics.notify(words, 1);
    }, 10);`,
    { eval: true, workerData: words },
  );
  context.after(() => server.terminate());
  const [port] = await once(server, "message");
  const sandbox = await start(`http://127.0.0.1:${port}`);
  for (let runs = 1; runs <= 2; runs++) {
    const execution = await sandbox.run("1");
    assert.equal(await execution.output(), String(runs), "no request is sent twice");
    Atomics.store(words, 0, 1);
    assert.notEqual(Atomics.wait(words, 1, runs - 1, 60_000), "timed-out");
    // The client looks for ends where its last use was more than a second ago.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_200);
  }
});

test("an error of the server is the class of its code", async (context) => {
  const { serverUrl } = await serve(context, (_, response) => {
    response.statusCode = 400;
    response.end(JSON.stringify({ error: { code: "invalid_name", message: "no", details: { field: "name" } } }));
  });
  const sandbox = await start(serverUrl);
  await assert.rejects(sandbox.run("1"), (error) => {
    assert.ok(error instanceof InvalidNameError);
    assert.deepEqual(error.details, { field: "name" });
    return true;
  });
});

test("an answer that is cut off, or no JSON, is an error", async (context) => {
  const ends: Array<(response: http.ServerResponse) => void> = [
    (response) => {
      response.setHeader("Content-Length", OK.length).write(OK.slice(0, 9), () => response.destroy());
    },
    (response) => response.end("<html>hello</html>"),
    (response) => response.end("event: stdout\ndata: <html>\n\n"),
  ];
  const { serverUrl } = await serve(context, (_, response) => ends.shift()?.(response));
  const sandbox = await start(serverUrl);
  await assert.rejects(sandbox.run("1"), ServerUnreachableError);
  await assert.rejects(sandbox.run("1"), /not JSON: '<html>hello/);
  await assert.rejects(sandbox.stream("1").next(), InternalError);
});

test("a stop that did not reach the server may be tried again", async (context) => {
  const { serverUrl, seen } = await serve(context, () => {});
  const sandbox = await start(serverUrl);
  await assert.rejects(sandbox.stop({ signal: AbortSignal.abort() }), { name: "AbortError" });
  assert.equal(sandbox.isStarted, true);
  await sandbox.stop();
  await sandbox.stop();
  assert.equal(seen.filter(({ url }) => url?.endsWith("/stop")).length, 1);
});

test("limits that are no numbers are refused before they are sent", async (context) => {
  const { serverUrl, seen } = await serve(context, () => {});
  const sandbox = await start(serverUrl);
  await assert.rejects(sandbox.run("1", { timeout: Number.NaN }), /timeout is not a number/);
  await assert.rejects(sandbox.command.run("x", [], Number.POSITIVE_INFINITY), InvalidRequestError);
  assert.throws(() => new PythonSandbox({ memory: Number.NaN }), InvalidRequestError);
  assert.equal(seen.length, 1);
});

test("a named server that does not answer is an error, and none is started", async () => {
  const server = http.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  for (const serverUrl of [`http://127.0.0.1:${port}`, "unix:/nonexistent/socket"]) {
    await assert.rejects(start(serverUrl), (error) => {
      assert.ok(error instanceof ServerUnreachableError && error.retryable);
      assert.match(error.message, /msb server start/);
      return true;
    });
  }
});

test("a server that does not answer in time is an error", async (context) => {
  const { serverUrl } = await serve(context, () => {});
  const silent = await serve(context, () => {});
  silent.server.removeAllListeners("request");
  await assert.rejects(start(silent.serverUrl, { startTimeout: 0.2 }), /nothing within 0.2 s/);
  const sandbox = await start(serverUrl);
  assert.equal(sandbox.isStarted, true);
});

test("events come as they are sent, and what is not known is left out", async (context) => {
  const { serverUrl, connections } = await serve(context, async (_, response) => {
    response.write(`: comment\n\n${sse("started", { id: "r1" })}${sse("unknown", {})}`);
    await sleep(50);
    response.write(sse("stdout", { text: "a\n" }));
    response.end(sse("finished", { outcome: "ok", exit_code: null, has_error: false }));
  });
  const sandbox = await start(serverUrl);
  const events = [];
  for await (const event of sandbox.stream("1")) events.push(event);
  assert.deepEqual(events, [
    { type: "started", id: "r1" },
    { type: "stdout", text: "a\n" },
    { type: "finished", outcome: "ok", exitCode: null, hasError: false },
  ]);
  for await (const _ of sandbox.command.stream("true"));
  assert.equal(connections(), 1, "a stream read to its end leaves its connection to the next call");
});

test("leaving a stream closes its connection", async (context) => {
  let closed: Promise<unknown> = Promise.reject(new Error("never asked"));
  closed.catch(() => {});
  const { serverUrl } = await serve(context, (_, response) => {
    closed = once(response, "close");
    response.write(sse("stdout", { text: "a" }));
  });
  const sandbox = await start(serverUrl);
  for await (const event of sandbox.stream("1")) {
    assert.equal(event.type, "stdout");
    break;
  }
  await closed;
});

test("a stream that fails, or ends too early, rejects", async (context) => {
  const ends: Array<(response: http.ServerResponse) => void> = [
    (response) => response.end(sse("failed", { error: { code: "invalid_name", message: "no" } })),
    (response) => response.end(sse("stdout", { text: "a" })),
    (response) => {
      response.write(sse("stdout", { text: "a" }), () => response.destroy());
    },
  ];
  const { serverUrl } = await serve(context, (_, response) => ends.shift()?.(response));
  const sandbox = await start(serverUrl);
  const drain = async () => {
    for await (const _ of sandbox.stream("1"));
  };
  await assert.rejects(drain(), InvalidNameError);
  await assert.rejects(drain(), /ended before the run did/);
  await assert.rejects(drain(), ServerUnreachableError);
});

test("a signal ends a call, a stream and a start, with its own reason", async (context) => {
  const closed: Array<Promise<unknown>> = [];
  let controller = new AbortController();
  const reason = new Error("enough");
  const { serverUrl } = await serve(context, (_, response) => {
    closed.push(once(response, "close"));
    response.writeHead(200).write(": still here\n\n", () => controller.abort(reason));
  });
  const sandbox = await start(serverUrl);
  const next = () => {
    controller = new AbortController();
    return { signal: controller.signal };
  };
  await assert.rejects(sandbox.run("1", next()), reason);
  await assert.rejects(sandbox.stream("1", next()).next(), reason);
  await assert.rejects(sandbox.command.run("true", [], next()), reason);
  await assert.rejects(start(serverUrl, { signal: AbortSignal.abort() }), { name: "AbortError" });
  assert.equal(closed.length, 3);
  await Promise.all(closed);
});
