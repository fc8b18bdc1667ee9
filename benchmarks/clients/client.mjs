// Answers the benchmark's questions with the JavaScript client; client.py says how.

import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { PythonSandbox } from "../../sdk/typescript/dist/index.mjs";

const kept = await PythonSandbox.create();
try {
  for await (const line of createInterface({ input: process.stdin })) {
    const [question, count] = line.split(" ");
    const taken = [];
    for (let done = 0; done < Number(count); done++) {
      const begin = performance.now();
      const sandbox = question === "cell" ? kept : await PythonSandbox.create();
      const execution = await sandbox.run("6 * 7");
      taken.push(performance.now() - begin);
      assert.equal(await execution.output(), "42");
      if (sandbox !== kept) await sandbox.stop();
    }
    console.log(taken.join(" "));
  }
} finally {
  await kept.stop();
}
