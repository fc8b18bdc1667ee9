// Every verb on a real server: found sandboxes, contexts, runs followed and stopped by others, logs, lists.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  ContextNotFoundError,
  InvalidRequestError,
  type LogEntry,
  NodeSandbox,
  PythonSandbox,
  type RunEvent,
  RunNotFoundError,
  SandboxNotFoundError,
  SandboxNotRunningError,
  Server as SandboxServer,
} from "../src/index.mjs";
import { Server } from "./server.mjs";

let server: Server;

before(async () => {
  server = await Server.start();
  process.env.MSB_SERVER_URL = server.url;
  delete process.env.MSB_API_KEY;
});

after(() => server.stop());

function written(events: readonly RunEvent[]): string {
  return events.flatMap((event) => (event.type === "stdout" ? [event.text] : [])).join("");
}

async function collect(events: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const seen: RunEvent[] = [];
  for await (const event of events) seen.push(event);
  return seen;
}

/** Reads a run's events until it has written something, leaves it, and gives its id and where to go on. */
async function leaveAfter(
  events: AsyncIterable<RunEvent>,
  expected: string,
): Promise<{ runId: string; offset: number }> {
  const seen: RunEvent[] = [];
  let offset = -1;
  for await (const event of events) {
    seen.push(event);
    if (event.type === "stdout") offset = event.offset ?? offset;
    if (written(seen) === expected) break;
  }
  return { runId: idOf(seen), offset };
}

function idOf([first]: readonly RunEvent[]): string {
  assert.ok(first?.type === "started");
  return first.id;
}

test("a sandbox is found by name and by id, and lives on", async () => {
  await using mine = await PythonSandbox.create({ name: "findable", namespace: "team" });
  await mine.run("x = 42");
  let id: string;
  {
    await using found = await PythonSandbox.connect("findable", { namespace: "team" });
    assert.equal(await (await found.run("x")).output(), "42");
    id = (await found.info()).id;
  }
  const byId = await PythonSandbox.connect(id);
  assert.deepEqual([byId.name, byId.namespace, byId.isStarted], ["findable", "team", true]);
  assert.equal(await (await byId.run("x + 1")).output(), "43");
  assert.equal((await mine.info()).state, "running");
  await mine.stop();
  await assert.rejects(PythonSandbox.connect(id), SandboxNotFoundError);
});

test("a stopped sandbox is found, started and removed", async () => {
  const sandbox = await PythonSandbox.create({ name: "rests", ephemeral: false });
  await sandbox.files.write("kept.txt", "still here");
  await sandbox.stop();
  assert.equal((await sandbox.info()).state, "stopped");
  assert.equal(await sandbox.metrics.isRunning(), false);
  const found = await PythonSandbox.connect("rests");
  assert.equal(found.isStarted, false);
  await assert.rejects(found.run("1"), SandboxNotRunningError);
  await found.start();
  assert.equal(await found.files.readText("kept.txt"), "still here");
  await found.delete();
  await assert.rejects(PythonSandbox.connect("rests"), SandboxNotFoundError);
});

test("a life is extended, and its limits are taken away", async () => {
  await using sandbox = await PythonSandbox.create();
  assert.equal((await sandbox.info()).expiresAt, null);
  const longer = await sandbox.extend({ timeToLive: 600, idleTimeout: 900 });
  assert.ok(longer.expiresAt !== null);
  assert.equal(longer.idleTimeout, 900);
  assert.equal((await sandbox.extend()).expiresAt, longer.expiresAt);
  const { expiresAt, idleTimeout } = await sandbox.extend({ timeToLive: 0, idleTimeout: 0 });
  assert.deepEqual([expiresAt, idleTimeout], [null, 0]);
});

test("contexts have a state of their own", async () => {
  await using sandbox = await NodeSandbox.create();
  await sandbox.run("x = 1");
  const second = await sandbox.contexts.open({
    id: "second",
    env: { GREETING: "hello" },
    workingDirectory: "/tmp",
    user: "root",
  });
  assert.deepEqual([second.id, second.language], ["second", "node"]);
  assert.equal((await second.run("x")).hasError(), true);
  await second.run("x = 2");
  assert.equal(await (await sandbox.run("x")).output(), "1");
  assert.equal(await (await sandbox.run("x", { context: "second" })).output(), "2");
  const told = await second.run("[process.env.GREETING, process.cwd(), process.getuid()].join()");
  assert.equal(await told.output(), "'hello,/tmp,0'");
  assert.equal(written(await collect(second.stream("console.log(x)"))), "2\n");
  const opened = await sandbox.contexts.list();
  assert.deepEqual(opened.map(({ id }) => id).sort(), ["node", "second"]);
  await second.close();
  await second.close();
  await assert.rejects(second.run("x"), ContextNotFoundError);
  const unnamed = await sandbox.contexts.open();
  await sandbox.contexts.close(unnamed.id);
  await assert.rejects(sandbox.contexts.close(unnamed.id), ContextNotFoundError);
  await assert.rejects(sandbox.contexts.close("node"), InvalidRequestError);
});

test("a cell goes on without its client, and is followed from an offset", async () => {
  await using sandbox = await PythonSandbox.create({ name: "goes-on" });
  const code =
    "import os, time\nprint('first', flush=True)\n" +
    "while not os.path.exists('go'): time.sleep(0.01)\nprint('second', flush=True)";
  const { runId, offset } = await leaveAfter(sandbox.stream(code, { keepRunning: true, timeout: 120 }), "first\n");
  assert.equal(offset, "first\n".length);
  const other = await PythonSandbox.connect("goes-on");
  await other.files.write("go", "");
  const rest = await collect(other.attach(runId, offset));
  assert.equal(written(rest), "second\n");
  const last = rest.at(-1);
  assert.ok(last?.type === "finished" && last.outcome === "ok");
  assert.equal(written(await collect(other.attach(runId))), "first\nsecond\n");
  await assert.rejects(collect(other.attach("0".repeat(32))), RunNotFoundError);
});

test("a command goes on without its client, and is followed from an offset", async () => {
  await using sandbox = await PythonSandbox.create();
  const script = "echo first; while [ ! -e go ]; do sleep 0.05; done; echo second; exit 3";
  const stream = sandbox.command.stream("sh", ["-c", script], { keepRunning: true, timeout: 120 });
  const { runId, offset } = await leaveAfter(stream, "first\n");
  await sandbox.files.write("go", "");
  const rest = await collect(sandbox.attach(runId, offset));
  assert.equal(written(rest), "second\n");
  const last = rest.at(-1);
  assert.ok(last?.type === "finished" && last.exitCode === 3);
});

test("another client interrupts a run, and its state is kept", async () => {
  await using sandbox = await PythonSandbox.create({ name: "stopped-by-others" });
  const other = await PythonSandbox.connect("stopped-by-others");
  const seen: RunEvent[] = [];
  for await (const event of sandbox.stream("kept = 1\nprint('go', flush=True)\nwhile True: pass")) {
    seen.push(event);
    if (event.type === "stdout" && written(seen) === "go\n") await other.interrupt(idOf(seen));
  }
  const last = seen.at(-1);
  assert.ok(last?.type === "finished" && last.outcome === "interrupted");
  await other.interrupt(idOf(seen));
  assert.equal(await (await sandbox.run("kept")).output(), "1");
});

for (const { script, number, group, outcome, exitCode } of [
  {
    script: "trap 'exit 5' USR1; echo ready; while :; do sleep 0.1; done",
    number: 10,
    group: false,
    outcome: "exited",
    exitCode: 5,
  },
  { script: "echo ready; sleep 1000; exit 5", number: 15, group: true, outcome: "signaled", exitCode: null },
]) {
  test(`a command takes signals ${group ? "with its group" : "alone"}`, async () => {
    await using sandbox = await PythonSandbox.create();
    const seen: RunEvent[] = [];
    for await (const event of sandbox.command.stream("sh", ["-c", script], 120)) {
      seen.push(event);
      if (event.type === "stdout" && written(seen) === "ready\n") {
        await sandbox.command.signal(idOf(seen), number, { group });
      }
    }
    const last = seen.at(-1);
    assert.ok(last?.type === "finished");
    assert.deepEqual([last.outcome, last.exitCode], [outcome, exitCode]);
    await sandbox.command.signal(idOf(seen), number);
    await assert.rejects(sandbox.command.signal(idOf(seen), 99), InvalidRequestError);
  });
}

test("bytes come out as they are", async () => {
  await using sandbox = await PythonSandbox.create();
  const stdin = Uint8Array.from({ length: 256 }, (_, index) => index);
  const events = await collect(sandbox.command.stream("cat", [], { stdin, encoding: "base64" }));
  const content = events.flatMap((event) => (event.type === "stdout" ? [...(event.content ?? [])] : []));
  assert.deepEqual(content, [...stdin]);
});

test("files have owners, modes and folders", async () => {
  await using sandbox = await PythonSandbox.create();
  await sandbox.files.write("/root/secret.txt", "of root", { user: "root", mode: 0o600 });
  assert.equal(await sandbox.files.readText("/root/secret.txt", { user: "root" }), "of root");
  await assert.rejects(sandbox.files.read("/root/secret.txt"), { code: "permission_denied" });
  await assert.rejects(sandbox.files.write("not/there", "", { makeDirectories: false }), { code: "no_such_file" });
});

test("the log has what was written outside of cells", async () => {
  await using sandbox = await PythonSandbox.create();
  await sandbox.run(`import os, threading, time
def later():
    while not os.path.exists('ended'): time.sleep(0.01)
    print('said late', flush=True)
threading.Thread(target=later).start()`);
  await sandbox.files.write("ended", "");
  const { sequence, source, level } = await awaitedLine(sandbox, "said late");
  assert.deepEqual([source, level], ["stdout", "info"]);
  assert.ok((await sandbox.logs({ after: sequence })).every((entry) => entry.sequence > sequence));
  assert.equal((await sandbox.logs({ limit: 1 })).length, 1);
});

/** The line of the log that has a text, once it is there. */
async function awaitedLine(sandbox: PythonSandbox, text: string): Promise<LogEntry> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    const found = (await sandbox.logs()).find((entry) => entry.text.includes(text));
    if (found !== undefined) return found;
    await sleep(50);
  }
  throw new Error(`the log never had '${text}'`);
}

test("a server lists sandboxes by label, images and itself", async () => {
  await using _a = await PythonSandbox.create({ name: "list-a", namespace: "lists", labels: { team: "a", kind: "x" } });
  await using _b = await NodeSandbox.create({ name: "list-b", namespace: "lists", labels: { team: "b", kind: "x" } });
  const here = new SandboxServer();
  const names = async (filter: object) => (await here.sandboxes(filter)).map(({ name }) => name);
  assert.deepEqual(await names({ namespace: "lists" }), ["list-a", "list-b"]);
  assert.deepEqual(await names({ labels: { kind: "x", team: "b" } }), ["list-b"]);
  assert.deepEqual(await names({ namespace: "elsewhere", labels: { kind: "x" } }), []);
  const images = (await here.images()).map(({ name }) => name);
  assert.ok(images.includes("microsandbox/python") && images.includes("microsandbox/node"));
  const info = await here.info();
  assert.ok(info.accepting && info.running >= 2 && info.keysRequired === false);
});
