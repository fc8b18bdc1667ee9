// The package and the contracts in `spec/` agree.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { errorFrom } from "../src/error-from.js";
import { EventParser, readEvent } from "../src/event-parser.js";
import * as microsandbox from "../src/index.mjs";
import { json, PACKAGE } from "./checkout.mjs";

interface Vector {
  name: string;
  run: ConstructorParameters<typeof microsandbox.Execution>[0];
  output: string;
  error: string;
  has_error: boolean;
}

interface Entry {
  code: string;
  http_status: number;
  retry: boolean;
}

interface StreamVector {
  name: string;
  stream: string;
  events: Array<{ type: string; text: string | null; offset: number | null; base64: string | null }>;
}

const STREAMS = json<{ streams: StreamVector[] }>("spec/vectors/event-streams.json").streams;
const VECTORS = json<{ executions: Vector[] }>("spec/vectors/executions.json").executions;
const CATALOGUE = json<{ errors: Entry[] }>("spec/errors.json").errors;

describe("an execution says what the vectors say", () => {
  for (const vector of VECTORS) {
    test(vector.name, async () => {
      const execution = new microsandbox.Execution(vector.run, "python");
      assert.equal(await execution.output(), vector.output);
      assert.equal(await execution.error(), vector.error);
      assert.equal(execution.hasError(), vector.has_error);
      assert.equal(execution.status, vector.has_error ? "error" : "success");
    });
  }
});

describe("a stream is read as the vectors say, however it is cut", () => {
  for (const { name, stream, events } of STREAMS) {
    test(name, () => {
      const bytes = Buffer.from(stream);
      for (let size = 1; size <= bytes.length; size++) {
        const parser = new EventParser();
        const found: Array<microsandbox.RunEvent | undefined> = [];
        for (let at = 0; at < bytes.length; at += size) {
          for (const raw of parser.feed(bytes.subarray(at, at + size))) found.push(readEvent(raw));
        }
        assert.deepEqual(found.map(asVector), events);
      }
    });
  }
});

function asVector(event: microsandbox.RunEvent | undefined): StreamVector["events"][number] {
  assert.ok(event !== undefined);
  const output = event.type === "stdout" || event.type === "stderr" ? event : undefined;
  return {
    type: event.type,
    text: output?.text ?? null,
    offset: output?.offset ?? null,
    base64: output?.content === undefined ? null : Buffer.from(output.content).toString("base64"),
  };
}

describe("each code has a class that the server's answer becomes", () => {
  for (const { code, http_status, retry } of CATALOGUE) {
    test(code, () => {
      const made = errorFrom({ error: { code, message: "m", details: { a: 1 } } }, http_status);
      const name = `${code.replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase())}Error`;
      assert.equal(made.constructor, (microsandbox as Record<string, unknown>)[name]);
      assert.ok(made instanceof microsandbox.SandboxError && made instanceof Error);
      assert.deepEqual(
        [made.name, made.code, made.message, made.retryable, made.details],
        [name, code, "m", retry, { a: 1 }],
      );
    });
  }
});

test("a code newer than the package is a plain error", () => {
  const made = errorFrom({ error: { code: "from_the_future", message: "m" } }, 418);
  assert.equal(made.constructor, microsandbox.SandboxError);
  assert.equal(made.code, "from_the_future");
});

test("a code that is a name of JavaScript's own is a plain error", () => {
  assert.equal(errorFrom({ error: { code: "constructor", message: "m" } }, 400).constructor, microsandbox.SandboxError);
});

test("an answer that is no error of the catalogue's form names its status", () => {
  for (const body of [undefined, null, "text", [], { error: "text" }]) {
    assert.match(errorFrom(body, 502).message, /status 502/);
  }
});

test("the error classes are those of the catalogue", () => {
  const source = execFileSync(process.execPath, [join(PACKAGE, "scripts/generate-errors.mjs"), "--print"], {
    encoding: "utf8",
  });
  const plain = (text: string) => text.replace(/\s+/g, "");
  assert.equal(plain(readFileSync(join(PACKAGE, "src/errors.ts"), "utf8")), plain(source), "run: npm run generate");
});

test("the version is that of package.json", () => {
  assert.equal(json<{ version: string }>("sdk/typescript/package.json").version, microsandbox.VERSION);
});
