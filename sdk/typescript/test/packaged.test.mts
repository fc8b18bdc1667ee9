// The package as its users get it: packed, installed into an empty project, and run there.
// The guide's JavaScript blocks, the documents' blocks and a first program in each module system, word for word.

import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { type Block, blocksOf } from "./blocks.mjs";
import { PACKAGE, ROOT } from "./checkout.mjs";
import { Server } from "./server.mjs";
import { SlideShow } from "./slide-show.mjs";

const TSC = join(PACKAGE, "node_modules/.bin/tsc");

let project: string;
let slideShow: SlideShow;
let server: Server;

before(async () => {
  project = mkdtempSync("/tmp/msb-");
  const [packed] = JSON.parse(
    execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", project], {
      cwd: PACKAGE,
      encoding: "utf8",
    }),
  ) as [{ filename: string }];
  writeFileSync(join(project, "package.json"), '{ "private": true }\n');
  execFileSync("npm", ["install", "--offline", "--no-audit", "--no-fund", `./${packed.filename}`], { cwd: project });
  slideShow = await SlideShow.start(join(project, "web"));
  server = await Server.start({
    settings: [`name-map=httpbin.org=127.0.0.1:${slideShow.port}`, `ca-file=${slideShow.authority}`],
  });
});

after(async () => {
  server?.stop();
  await slideShow?.stop();
  rmSync(project, { recursive: true });
});

let programs = 0;

/** Runs a program in the project, as a user would, and gives what it printed. */
async function run(source: string, ending: "mjs" | "cjs"): Promise<string> {
  const path = join(project, `program-${++programs}.${ending}`);
  writeFileSync(path, source);
  // Without blocking this process, which serves the site that the guide asks.
  const { stdout } = await promisify(execFile)(process.execPath, [path], {
    cwd: project,
    env: { PATH: "/usr/bin:/bin", MSB_SERVER_URL: server.url },
    timeout: 180_000,
  });
  return stdout;
}

/** Compiles a TypeScript program in the project, without the types of Node, and gives the JavaScript. */
function compile(source: string, { isModule = true, lib = "es2022,dom" } = {}): string {
  const name = `typed-${++programs}`;
  const file = `${name}.${isModule ? "mts" : "cts"}`;
  writeFileSync(join(project, file), source);
  const options = ["--strict", "--exactOptionalPropertyTypes", "--target", "es2022", "--module", "nodenext"];
  execFileSync(TSC, [...options, "--types", "", "--lib", lib, file], { cwd: project, stdio: "pipe", encoding: "utf8" });
  return readFileSync(join(project, `${name}.${isModule ? "mjs" : "cjs"}`), "utf8");
}

/** A block's output; a piece of a program has a sandbox around it. */
async function runBlock({ language, source }: Block): Promise<string> {
  if (language === "typescript") return run(compile(source, { lib: "es2023,esnext.disposable,dom" }), "mjs");
  if (/\brequire\(/.test(source)) return run(source, "cjs");
  if (/^import /m.test(source)) return run(source, "mjs");
  return run(
    `import { PythonSandbox } from "microsandbox";
const sandbox = await PythonSandbox.create();
try {
${source}
} finally {
  await sandbox.stop();
}`,
    "mjs",
  );
}

describe("the guide's JavaScript", () => {
  const blocks = blocksOf(readFileSync(join(ROOT, "docs/guide/sandboxes.md"), "utf8"), "javascript");

  test("is two programs", () => {
    assert.deepEqual(
      blocks.map(({ heading }) => heading),
      ["PythonSandbox", "NodeSandbox"],
    );
  });

  test("PythonSandbox", async () => {
    assert.equal(await run(blocks[0]?.source ?? "", "mjs"), "Hello from Python!\n200\n");
    assert.equal(slideShow.questions, 1, "the sandbox has asked the site");
  });

  test("NodeSandbox", async () => {
    assert.match(
      await run(blocks[1]?.source ?? "", "mjs"),
      /^Output: Hello from Node\.js!\nFile content: Hello from Node\.js!\nPlatform: linux\nNode\.js version: v\d+\.\d+\.\d+\n$/,
    );
  });
});

describe("the documents' blocks print what stands under them", () => {
  const page = blocksOf(readFileSync(join(ROOT, "docs/javascript.md"), "utf8"));

  test("the page is programs, each with its output", () => {
    assert.ok(page.length >= 22);
    for (const [index, { language }] of page.entries()) {
      assert.match(language, index % 2 === 1 ? /^text$/ : /^(java|type)script$/);
    }
  });

  for (let at = 0; at + 1 < page.length; at += 2) {
    const block = page[at] as Block;
    test(`${block.heading}, block ${at / 2 + 1}`, async () =>
      assert.equal(await runBlock(block), page[at + 1]?.source));
  }

  test("README", async () => {
    const [block] = blocksOf(readFileSync(join(PACKAGE, "README.md"), "utf8"));
    assert.equal(await runBlock(block as Block), "Hello from Python!\n");
  });
});

describe("the package", () => {
  test("is one implementation for import and require", async () => {
    const source = `
      import { createRequire } from "node:module";
      import * as imported from "microsandbox";
      const required = createRequire(import.meta.url)("microsandbox");
      const { __esModule, "module.exports": _, default: __, ...names } = { ...imported };
      console.log(Object.keys(names).length > 60, Object.keys(names).every((name) => required[name] === imported[name]));
      console.log(Object.keys(required).filter((name) => !(name in imported)).join());`;
    assert.equal(await run(source, "mjs"), "true true\n\n");
  });

  test("brings its licence", () => {
    const licence = readFileSync(join(project, "node_modules/microsandbox/LICENSE"), "utf8");
    assert.equal(licence, readFileSync(join(ROOT, "LICENSE"), "utf8"));
  });

  const typed = `
    import { type CreateOptions, NameTakenError, type RunEvent, PythonSandbox, SandboxOptions } from "microsandbox";
    const options: CreateOptions = { memory: 128, signal: undefined };
    export async function main(event: RunEvent): Promise<number> {
      const sandbox: PythonSandbox = await PythonSandbox.create(options);
      await sandbox.start("image", 1, 2, 3);
      new PythonSandbox(SandboxOptions.builder().network("none").build());
      const caught: unknown = new NameTakenError("m");
      if (caught instanceof NameTakenError) return caught.code.length;
      return event.type === "stdout" ? event.text.length : event.type === "finished" ? event.duration : 0;
    }`;

  for (const isModule of [true, false]) {
    test(`has strict types without Node's, for ${isModule ? "modules" : "CommonJS"}`, () => {
      compile(typed, { isModule });
    });
  }

  test("has types that find mistakes", () => {
    for (const mistake of ['{ memory: "much" }', "{ memroy: 1 }", '{ network: "all" }']) {
      const source = `import { PythonSandbox } from "microsandbox";\nPythonSandbox.create(${mistake});\n`;
      assert.throws(
        () => compile(source),
        ({ stdout }: { stdout: string }) => /error TS2\d\d\d: .*(assignable|known properties)/.test(stdout),
      );
    }
  });
});

describe("where no server is named and none answers", () => {
  const PROGRAM = `
    import { PythonSandbox } from "microsandbox";
    const ends = await Promise.allSettled([1, 2, 3].map(() => PythonSandbox.create()));
    for (const { status, reason } of ends) console.log(status, reason?.code, /no luck/.test(reason?.message));
    process.exit();`;

  /** Runs it with an `msb` of its own, and gives what it printed and how `msb` was called. */
  function runWith(msb: string): { printed: string; calls: string } {
    const tools = mkdtempSync(join(project, "tools-"));
    const path = join(tools, "msb");
    writeFileSync(path, `#!/bin/sh\necho "$@" >> ${tools}/calls\n${msb}\n`, { mode: 0o755 });
    writeFileSync(join(project, "unnamed.mjs"), PROGRAM);
    // Network and /run of its own, so that no server of this machine answers.
    const inside = `mount -t tmpfs none /run && ${process.execPath} unnamed.mjs`;
    const printed = execFileSync(
      "unshare",
      ["--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", inside],
      {
        cwd: project,
        env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", MSB_PATH: path },
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    return { printed, calls: readFileSync(join(tools, "calls"), "utf8") };
  }

  test("the local one is started, once for all", () => {
    const program = `
      const http = require("node:http");
      const ready = () => require("node:fs").writeFileSync("/run/microsandbox/ready", "");
      http.createServer((request, response) => response.end("{}")).listen("/run/microsandbox/msb.sock", ready);`;
    writeFileSync(join(project, "listening.cjs"), program);
    const { printed, calls } = runWith(
      `mkdir /run/microsandbox
      ${process.execPath} ${project}/listening.cjs >/dev/null 2>&1 &
      while [ ! -e /run/microsandbox/ready ]; do sleep 0.05; done`,
    );
    assert.equal(printed, "fulfilled undefined false\n".repeat(3));
    assert.equal(calls, "server start\n");
  });

  test("and starting it fails, the error says why", () => {
    const { printed, calls } = runWith("sleep 2; echo 'no luck' >&2; exit 3");
    assert.equal(printed, "rejected server_unreachable true\n".repeat(3));
    assert.equal(calls, "server start\n");
  });
});
