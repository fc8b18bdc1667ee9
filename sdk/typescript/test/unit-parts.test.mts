// Parts that need no server.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { parseAddress } from "../src/address.js";
import { EventParser, readEvent } from "../src/event-parser.js";
import {
  CommandExecution,
  InvalidRequestError,
  NodeSandbox,
  PythonSandbox,
  SandboxNotRunningError,
  SandboxOptions,
} from "../src/index.mjs";
import { findMsb } from "../src/local.js";
import { ROOT } from "./checkout.mjs";

const STREAM = Buffer.from(
  ': hello\n\nid: 0\nevent: stdout\ndata: {"text": "ä\\n"}\n\n' +
    'event: finished\r\ndata: {"outcome":\r\ndata:  "ok", "state_lost": false}\r\n\r\n' +
    'event: of-the-future\ndata: {"a": 1}\n\n',
);

/** Runs something with other environment variables; undefined takes one away. */
function withEnvironment<T>(changes: Record<string, string | undefined>, action: () => T): T {
  const before = { ...process.env };
  try {
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    return action();
  } finally {
    process.env = before;
  }
}

describe("events", () => {
  test("are the same however the bytes are cut", () => {
    for (let size = 1; size <= STREAM.length; size++) {
      const parser = new EventParser();
      const found = [];
      for (let at = 0; at < STREAM.length; at += size) found.push(...parser.feed(STREAM.subarray(at, at + size)));
      assert.deepEqual(found.map(readEvent), [
        { type: "stdout", text: "ä\n", offset: 0 },
        { type: "finished", outcome: "ok", stateLost: false },
        undefined,
      ]);
    }
  });

  test("of no end are refused", () => {
    const parser = new EventParser();
    const block = Buffer.alloc(16 * 1024 * 1024, "x");
    assert.throws(() => {
      for (let i = 0; i < 5; i++) [...parser.feed(block)];
    }, /endless/);
  });
});

describe("addresses", () => {
  test("are URLs or paths of sockets", () => {
    assert.deepEqual(parseAddress("http://there:1/").connection, { hostname: "there", port: 1 });
    assert.deepEqual(parseAddress("https://there").connection, { hostname: "there", port: 443 });
    assert.deepEqual(parseAddress("http://[::1]:5555").connection, { hostname: "::1", port: 5555 });
    assert.equal(parseAddress("https://there/below/").prefix, "/below");
    assert.deepEqual(parseAddress("unix:/run/x.sock").connection, { socketPath: "/run/x.sock" });
    assert.deepEqual(parseAddress("unix:///run/x.sock").connection, { socketPath: "/run/x.sock" });
  });

  test("of other kinds are refused", () => {
    for (const text of ["localhost:5555", "ftp://there", "there", ""]) {
      assert.throws(() => parseAddress(text), InvalidRequestError);
    }
    assert.throws(() => new PythonSandbox({ serverUrl: "localhost:5555" }), /http:\/\/host:port/);
  });

  test("come from the argument, then the environment, then the default", () => {
    const urls = () => [new PythonSandbox().serverUrl, new PythonSandbox({ serverUrl: "http://here:2" }).serverUrl];
    assert.deepEqual(withEnvironment({ MSB_SERVER_URL: "http://there:1" }, urls), ["http://there:1", "http://here:2"]);
    assert.deepEqual(withEnvironment({ MSB_SERVER_URL: undefined }, urls), ["http://127.0.0.1:5555", "http://here:2"]);
    assert.equal(
      withEnvironment({ MSB_API_KEY: "msb_x" }, () => new PythonSandbox().apiKey),
      "msb_x",
    );
  });
});

describe("a sandbox object", () => {
  test("has a name where none is given", () => {
    assert.match(new PythonSandbox().name, /^sandbox-[0-9a-f]{8}$/);
    assert.equal(new PythonSandbox({ name: "x" }).name, "x");
    assert.equal(new PythonSandbox().namespace, "default");
  });

  test("does not show its key", () => {
    const shown = inspect(new PythonSandbox({ name: "x", apiKey: "msb_secret" }), { depth: 9, showHidden: true });
    assert.equal(shown, "PythonSandbox { name: 'x', isStarted: false }");
    assert.doesNotMatch(JSON.stringify(new PythonSandbox({ apiKey: "msb_secret" })), /secret/);
  });

  test("refuses options that do not exist", () => {
    const misspelt = { memroy: 64 } as object;
    assert.throws(() => new PythonSandbox(misspelt), /no such option of a sandbox: 'memroy'/);
    return assert.rejects(PythonSandbox.create(misspelt), InvalidRequestError);
  });

  test("knows its language's image", async () => {
    assert.equal(await new PythonSandbox().getDefaultImage(), "microsandbox/python");
    assert.equal(await new NodeSandbox().getDefaultImage(), "microsandbox/node");
  });

  test("that is not started says so in the original words", async () => {
    const sandbox = new PythonSandbox({ serverUrl: "http://127.0.0.1:1" });
    const matches = (error: unknown) =>
      error instanceof SandboxNotRunningError && error.message === "Sandbox is not started. Call start() first.";
    await assert.rejects(sandbox.run("1"), matches);
    await assert.rejects(sandbox.info(), matches);
    await assert.rejects(sandbox.command.run("true"), matches);
    await assert.rejects(sandbox.files.read("x"), matches);
    await assert.rejects(sandbox.metrics.all(), matches);
    await assert.rejects(sandbox.stream("1").next(), matches);
    await sandbox.stop();
  });
});

test("options are put together by a builder, as with the original client", () => {
  const begun = SandboxOptions.builder().name("x").memory(128);
  assert.deepEqual(begun.serverUrl("http://a").build(), { name: "x", memory: 128, serverUrl: "http://a" });
  assert.deepEqual(begun.build(), { name: "x", memory: 128 }, "a builder is not changed by what follows it");
});

test("a command's exit code tells of signals, and of none", () => {
  const of = (body: object) =>
    new CommandExecution({ outcome: "exited", stdout: "", stderr: "", ...body }, "x", []).exitCode;
  assert.deepEqual([of({ exit_code: 3 }), of({ signal: 9 }), of({}), of({ exit_code: 0 })], [3, 137, -1, 0]);
});

describe("the msb command is found", () => {
  test("by MSB_PATH, then the PATH, then the checkout", (context) => {
    const folder = mkdtempSync("/tmp/msb-");
    context.after(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "msb"), "#!/bin/sh\n", { mode: 0o755 });
    const find = (MSB_PATH: string | undefined, PATH: string) => withEnvironment({ MSB_PATH, PATH }, () => findMsb());
    assert.equal(find("/named/msb", folder), "/named/msb");
    assert.equal(find(undefined, `/nothing:${folder}`), join(folder, "msb"));
    assert.equal(find(undefined, "/nothing"), join(ROOT, "msb"));
  });

  test("nowhere else", () => {
    const found = withEnvironment({ MSB_PATH: undefined, PATH: "" }, () => findMsb("/tmp"));
    assert.equal(found, undefined);
  });
});
