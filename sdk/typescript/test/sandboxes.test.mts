// The package against a real server, real isolation and real interpreters.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  CommandNotFoundError,
  type CreateOptions,
  ImageNotFoundError,
  InvalidLimitsError,
  InvalidNameError,
  NameTakenError,
  NodeSandbox,
  NoSuchFileError,
  PythonSandbox,
  type RunEvent,
  SandboxNotRunningError,
  UnauthenticatedError,
} from "../src/index.mjs";
import { Server } from "./server.mjs";

let server: Server;

before(async () => {
  server = await Server.start();
  process.env.MSB_SERVER_URL = server.url;
  delete process.env.MSB_API_KEY;
});

after(() => server.stop());

describe("the life of a sandbox", () => {
  test("keeps state between runs, and ends with the block that it belongs to", async () => {
    let ended: PythonSandbox;
    {
      await using sandbox = await PythonSandbox.create();
      ended = sandbox;
      await sandbox.run("x = 42");
      assert.equal(await (await sandbox.run("x * 2")).output(), "84");
      assert.equal((await sandbox.info()).state, "running");
    }
    assert.equal(ended.isStarted, false);
    await assert.rejects(ended.run("x"), SandboxNotRunningError);
  });

  test("may be ruled by hand, as with the original client", async () => {
    const sandbox = new NodeSandbox({ name: "by-hand" });
    assert.equal(sandbox.isStarted, false);
    await sandbox.start("microsandbox/node", 256, 1.0);
    try {
      assert.equal(sandbox.isStarted, true);
      await sandbox.start();
      assert.equal(await (await sandbox.run("const a = 20; a + 1")).output(), "21");
      const info = await sandbox.info();
      assert.deepEqual([info.memory, info.cpus, info.ephemeral, info.languages[0]], [256, 1, true, "node"]);
      assert.ok(Date.parse(info.createdAt) <= Date.now() + 60_000);
    } finally {
      await sandbox.stop();
      await sandbox.stop();
    }
  });

  test("keeps its disk over stop and start where it is not ephemeral", async () => {
    const sandbox = await PythonSandbox.create({ name: "keeps", ephemeral: false });
    await sandbox.run("open('kept.txt', 'w').write('still here')\nv = 1");
    await sandbox.stop();
    await sandbox.start();
    assert.equal(await sandbox.files.readText("kept.txt"), "still here");
    assert.equal((await sandbox.run("v")).hasError(), true);
    await sandbox.delete();
    await sandbox.delete();
  });

  test("goes by the unix socket too", async () => {
    await using sandbox = await PythonSandbox.create({ serverUrl: `unix:${server.socket}` });
    assert.equal(await (await sandbox.run("'by socket'")).output(), "'by socket'");
  });

  test("has its options", async () => {
    await using sandbox = await PythonSandbox.create({
      namespace: "team",
      memory: 200,
      cpus: 0.5,
      processes: 64,
      disk: 64,
      env: { GREETING: "hello" },
      labels: { team: "a" },
      network: "none",
      timeToLive: 600,
      idleTimeout: 0,
    });
    const { namespace, memory, cpus, processes, disk, labels, network, timeToLive, idleTimeout, expiresAt } =
      await sandbox.info();
    assert.deepEqual(
      { namespace, memory, cpus, processes, disk, labels, network, timeToLive, idleTimeout },
      {
        namespace: "team",
        memory: 200,
        cpus: 0.5,
        processes: 64,
        disk: 64,
        labels: { team: "a" },
        network: "none",
        timeToLive: 600,
        idleTimeout: 0,
      },
    );
    assert.ok(expiresAt !== null);
    assert.equal(await (await sandbox.run("import os; os.environ['GREETING']")).output(), "'hello'");
  });

  test("is its own: many at once are apart", async () => {
    const squares = await Promise.all(
      [0, 1, 2, 3].map(async (n) => {
        await using sandbox = await PythonSandbox.create();
        await sandbox.run(`n = ${n}`);
        return (await sandbox.run("n * n")).output();
      }),
    );
    assert.deepEqual(squares, ["0", "1", "4", "9"]);
  });

  test("has one owner of its name", async () => {
    await using sandbox = await PythonSandbox.create({ name: "only-one" });
    await assert.rejects(PythonSandbox.create({ name: sandbox.name }), NameTakenError);
  });

  const impossible: Array<[CreateOptions, new (message: string) => Error]> = [
    [{ name: "-bad" }, InvalidNameError],
    [{ name: "a".repeat(64) }, InvalidNameError],
    [{ memory: 1 }, InvalidLimitsError],
    [{ image: "no-such-image" }, ImageNotFoundError],
  ];
  for (const [options, kind] of impossible) {
    test(`does not begin with ${JSON.stringify(options).slice(0, 40)}`, () =>
      assert.rejects(PythonSandbox.create(options), kind));
  }
});

describe("a cell", () => {
  test("that raises is a result with name, message and traceback", async () => {
    await using sandbox = await PythonSandbox.create();
    const execution = await sandbox.run("y = 1\ninvalid_code_here\ny = 2");
    assert.equal(execution.hasError(), true);
    assert.equal(execution.status, "error");
    assert.equal(execution.raised?.name, "NameError");
    assert.match(await execution.error(), /<cell/);
    assert.equal(await (await sandbox.run("y")).output(), "1");
  });

  test("streams its events while it runs", async () => {
    await using sandbox = await PythonSandbox.create();
    const seen: RunEvent[] = [];
    // It ends only once the test has seen what it printed before.
    const code =
      "import os, time\nprint('first', flush=True)\n" +
      "while not os.path.exists('seen'): time.sleep(0.01)\nprint('second')\n7";
    let told = false;
    for await (const event of sandbox.stream(code, { timeout: 60 })) {
      seen.push(event);
      if (event.type === "stdout" && !told) {
        told = true;
        await sandbox.files.write("seen", "");
      }
    }
    const written = seen.flatMap((event) => (event.type === "stdout" ? [event.text] : []));
    assert.equal(written.join(""), "first\nsecond\n");
    assert.equal(seen[0]?.type, "started");
    const [result, finished] = seen.slice(-2);
    assert.ok(result?.type === "result" && result.data["text/plain"] === "7");
    assert.ok(finished?.type === "finished" && finished.outcome === "ok" && !finished.hasError);
  });

  test("is interrupted when its stream is left, and state is kept", async () => {
    await using sandbox = await PythonSandbox.create();
    for await (const event of sandbox.stream("marker = 1\nprint('go', flush=True)\nwhile True: pass")) {
      if (event.type === "stdout") break;
    }
    assert.equal(await (await sandbox.run("marker", { timeout: 20 })).output(), "1");
  });

  test("is interrupted by a signal, and state is kept", async () => {
    await using sandbox = await NodeSandbox.create();
    await sandbox.run("const kept = 5");
    await assert.rejects(sandbox.run("while (true) {}", { signal: AbortSignal.timeout(500) }), {
      name: "TimeoutError",
    });
    assert.equal(await (await sandbox.run("kept", { timeout: 20 })).output(), "5");
  });

  test("goes on without its client where that is wished", async () => {
    await using sandbox = await PythonSandbox.create();
    const code =
      "import os, time\nprint('go', flush=True)\n" +
      "while not os.path.exists('left'): time.sleep(0.01)\nopen('done', 'w').write('yes')";
    for await (const event of sandbox.stream(code, { keepRunning: true })) {
      if (event.type === "stdout") break;
    }
    await sandbox.files.write("left", "");
    assert.equal(await (await sandbox.run("open('done').read()", { timeout: 20 })).output(), "'yes'");
  });

  for (const [kind, code] of [
    [PythonSandbox, "while True: pass"],
    [NodeSandbox, "while (true) {}"],
  ] as const) {
    test(`is interrupted by its time limit, and state is kept, in ${kind.language}`, async () => {
      await using sandbox = await kind.create();
      await sandbox.run("kept = 5");
      const execution = await sandbox.run(code, { timeout: 0.5 });
      assert.deepEqual([execution.timedOut, execution.hasError(), execution.stateLost], [true, true, false]);
      assert.equal(await (await sandbox.run("kept")).output(), "5");
    });
  }

  test("that ends its interpreter says that state is lost", async () => {
    await using sandbox = await PythonSandbox.create();
    const { outcome, exitCode, stateLost } = await sandbox.run("import os; os._exit(7)");
    assert.deepEqual([outcome, exitCode, stateLost], ["exited", 7, true]);
    assert.equal(await (await sandbox.run("1")).output(), "1");
  });

  test("keeps the first and last part of endless output", async () => {
    await using sandbox = await PythonSandbox.create();
    const execution = await sandbox.run("for i in range(300000): print('line', i)", { outputLimit: 10_000 });
    assert.ok(execution.stdout.startsWith("line 0\n") && execution.stdout.endsWith("line 299999\n"));
    assert.ok(execution.stdout.length < 12_000 && execution.leftOut > 3_000_000);
  });
});

describe("the parts", () => {
  test("commands have streams, exit codes, users and environment", async () => {
    await using sandbox = await PythonSandbox.create({ env: { FROM_SANDBOX: "a" } });
    const done = await sandbox.command.run(
      "sh",
      ["-c", "echo $FROM_SANDBOX $OWN; id -un; pwd; cat; echo bad >&2; exit 3"],
      { env: { OWN: "b" }, workingDirectory: "/tmp", stdin: "typed" },
    );
    assert.equal(done.stdout, "a b\nsandbox\n/tmp\ntyped");
    assert.deepEqual([await done.error(), done.exitCode, done.success], ["bad", 3, false]);
    assert.deepEqual([done.command, done.args[0]], ["sh", "-c"]);
    assert.equal(await (await sandbox.command.run("id", ["-u"], { user: "root" })).output(), "0");
    const bytes = await sandbox.command.run("od", ["-An", "-tu1"], { stdin: new Uint8Array([0, 255]) });
    assert.equal((await bytes.output()).trim(), "0 255");
    assert.equal((await sandbox.command.run("sleep", ["60"], 0.5)).timedOut, true);
    await assert.rejects(sandbox.command.run("no-such-program"), CommandNotFoundError);
  });

  test("commands stream their events", async () => {
    await using sandbox = await PythonSandbox.create();
    let written = "";
    let last: RunEvent | undefined;
    for await (const event of sandbox.command.stream("sh", ["-c", "echo a; exit 4"])) {
      if (event.type === "stdout") written += event.text;
      last = event;
    }
    assert.equal(written, "a\n");
    assert.ok(last?.type === "finished" && last.exitCode === 4);
  });

  test("files are written and read as they are", async () => {
    await using sandbox = await PythonSandbox.create();
    const content = Uint8Array.from({ length: 100_000 }, (_, index) => index % 256);
    await sandbox.files.write("data/blob.bin", content, { mode: 0o600 });
    assert.deepEqual(new Uint8Array(await sandbox.files.read("data/blob.bin")), content);
    assert.equal(await (await sandbox.command.run("stat", ["-c", "%a", "data/blob.bin"])).output(), "600");
    await sandbox.files.write("text.txt", "ä\n");
    assert.equal(await sandbox.files.readText("text.txt"), "ä\n");
    await assert.rejects(sandbox.files.read("nothing-here"), NoSuchFileError);
  });

  test("metrics are numbers", async () => {
    await using sandbox = await PythonSandbox.create();
    await sandbox.run("1");
    assert.equal(await sandbox.metrics.isRunning(), true);
    assert.ok(((await sandbox.metrics.memory()) ?? 0) > 0);
    assert.ok(((await sandbox.metrics.disk()) ?? -1) >= 0);
    assert.ok(((await sandbox.metrics.cpu()) ?? -1) >= 0);
    const all = await sandbox.metrics.all();
    assert.deepEqual([all.name, all.running], [sandbox.name, true]);
  });
});

test("a key is asked for without development mode", async () => {
  const strict = await Server.start({ isDev: false });
  try {
    const serverUrl = strict.url;
    await assert.rejects(PythonSandbox.create({ serverUrl }), UnauthenticatedError);
    const apiKey = strict.msb("key", "create", "--name", "test").trim();
    assert.match(apiKey, /^msb_/);
    await using sandbox = await PythonSandbox.create({ serverUrl, apiKey });
    assert.equal(await (await sandbox.run("1")).output(), "1");
  } finally {
    strict.stop();
  }
});
