// What each verb sends and reads, against a small server that remembers.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PythonSandbox, type RunEvent, SandboxNotRunningError, Server } from "../src/index.mjs";
import { record } from "./recorder.mjs";

const ID = "/v1/sandboxes/sb0123456789abcdef";

async function collect(events: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const seen: RunEvent[] = [];
  for await (const event of events) seen.push(event);
  return seen;
}

test("a cell goes to its language or to a context, and never to both", async (context) => {
  const { serverUrl, last } = await record(context);
  const sandbox = await PythonSandbox.create({ serverUrl, name: "x" });
  const { signal, omitted } = await sandbox.run("1");
  assert.deepEqual([signal, omitted], [9, ["image/png"]]);
  assert.deepEqual(last().json, { language: "python", code: "1" });
  await sandbox.run("1", { context: "second" });
  assert.deepEqual(last().json, { code: "1", context: "second" });
});

test("events have text, bytes and offsets", async (context) => {
  const { serverUrl, last } = await record(context);
  const sandbox = await PythonSandbox.create({ serverUrl, name: "x" });
  assert.deepEqual(await collect(sandbox.stream("1", { encoding: "base64" })), [
    { type: "started", id: "r1" },
    { type: "stdout", text: "a\n", offset: 2 },
    { type: "stderr", text: "", content: new Uint8Array([255, 10]), offset: 4 },
    { type: "finished", outcome: "ok" },
  ]);
  assert.deepEqual(last(), {
    line: "POST /v1/sandboxes/x/runs?encoding=base64",
    json: { language: "python", code: "1" },
  });
  await collect(sandbox.command.stream("cat", [], { stdin: "a", encoding: "base64" }));
  assert.deepEqual(last(), {
    line: "POST /v1/sandboxes/x/commands?encoding=base64",
    json: { argv: ["cat"], stdin: "a" },
  });
});

test("runs are followed and stopped by their id", async (context) => {
  const { serverUrl, asked, last } = await record(context);
  const sandbox = await PythonSandbox.create({ serverUrl, name: "x" });
  assert.equal((await collect(sandbox.attach("r/1", 7))).at(-1)?.type, "finished");
  assert.equal(last().line, "GET /v1/sandboxes/x/runs/r%2F1?offset=7");
  assert.equal(asked.at(-1)?.accept, "text/event-stream");
  await collect(sandbox.attach("r1", 0, { encoding: "base64" }));
  assert.equal(last().line, "GET /v1/sandboxes/x/runs/r1?offset=0&encoding=base64");
  await sandbox.interrupt("r1");
  assert.equal(last().line, "POST /v1/sandboxes/x/runs/r1/interrupt");
  await sandbox.command.signal("r1", 15, { group: false });
  assert.deepEqual(last(), { line: "POST /v1/sandboxes/x/commands/r1/signal", json: { signal: 15, group: false } });
  assert.throws(() => sandbox.attach("r1", Number.NaN), /offset is not a number/);
});

test("contexts are opened, used, listed and closed", async (context) => {
  const { serverUrl, last } = await record(context);
  const sandbox = await PythonSandbox.create({ serverUrl, name: "x" });
  {
    await using second = await sandbox.contexts.open({ id: "second", workingDirectory: "/tmp", user: "root" });
    assert.deepEqual(last().json, { language: "python", id: "second", working_directory: "/tmp", user: "root" });
    assert.deepEqual(
      [second.id, second.language, second.interpreterVersion, second.ready],
      ["second", "python", "3.13", true],
    );
    assert.equal((await second.run("1")).language, "python");
    assert.deepEqual(last().json, { code: "1", context: "second" });
    assert.equal((await collect(second.stream("1"))).length, 4);
    assert.deepEqual(
      (await sandbox.contexts.list()).map(({ id }) => id),
      ["second"],
    );
  }
  assert.equal(last().line, "DELETE /v1/sandboxes/x/contexts/second");
  await sandbox.contexts.open({ language: "node" });
  assert.deepEqual(last().json, { language: "node" });
  await sandbox.contexts.close("a/b");
  assert.equal(last().line, "DELETE /v1/sandboxes/x/contexts/a%2Fb");
});

test("what was found is named by its id, and left as it is", async (context) => {
  const { serverUrl, asked, last } = await record(context);
  {
    await using found = await PythonSandbox.connect("x", { serverUrl, namespace: "team" });
    assert.equal(last().line, "GET /v1/sandboxes/x?namespace=team");
    assert.deepEqual([found.name, found.namespace, found.isStarted], ["x", "team", true]);
    await found.extend({ timeToLive: 60, idleTimeout: 0 });
    assert.deepEqual(last(), { line: `PATCH ${ID}`, json: { time_to_live: 60, idle_timeout: 0 } });
    assert.equal((await found.logs({ after: 7, limit: 1 }))[0]?.sequence, 8);
    assert.equal(last().line, `GET ${ID}/logs?after=7&limit=1`);
    await found.run("1");
    assert.equal(last().line, `POST ${ID}/runs`);
  }
  assert.equal(asked.length, 4);
});

test("a stopped one that was found is known and can be started", async (context) => {
  const { serverUrl, answers, last } = await record(context);
  answers["/v1/sandboxes/x"] = { id: "sb1", name: "x", namespace: "n", state: "stopped", ephemeral: false };
  const found = await PythonSandbox.connect("x", { serverUrl });
  await found.info();
  await found.metrics.all();
  await assert.rejects(found.run("1"), SandboxNotRunningError);
  await found.start();
  assert.equal(last().line, "POST /v1/sandboxes/sb1/start");
  await found.stop();
  assert.equal(last().line, "POST /v1/sandboxes/sb1/stop");
  await found.info();
  await found.delete();
  await assert.rejects(found.info(), SandboxNotRunningError);
});

test("a server lists what it has", async (context) => {
  const { serverUrl, last } = await record(context);
  const server = new Server({ serverUrl });
  assert.equal((await server.sandboxes())[0]?.name, "x");
  assert.equal(last().line, "GET /v1/sandboxes");
  await server.sandboxes({ namespace: "team", labels: { a: "b=c", d: "é" } });
  assert.equal(last().line, "GET /v1/sandboxes?namespace=team&label=a%3Db%3Dc&label=d%3D%C3%A9");
  assert.equal((await server.images())[0]?.sizeBytes, 1);
  assert.equal((await server.info()).keysRequired, true);
});
