// Writes src/errors.ts, one class for each code of the catalogue; a test fails when they differ.

import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const CATALOGUE = join(HERE, "../../../spec/errors.json");
const TARGET = join(HERE, "../src/errors.ts");

/** Name of the class for a code: `name_taken` gives `NameTakenError`. */
const nameOf = (code) => `${code.replace(/(?:^|_)(\w)/g, (_, letter) => letter.toUpperCase())}Error`;

/** Source of the class of one entry. */
const classOf = ({ code, retry, meaning }) => `
/** ${meaning[0].toUpperCase()}${meaning.slice(1)}. */
export class ${nameOf(code)} extends SandboxError {
  static override readonly code: string = "${code}";
  static override readonly retryable: boolean = ${retry};
}
`;

/** The whole module. */
const render = (errors) => `// Generated from spec/errors.json by scripts/generate-errors.mjs.

import { SandboxError } from "./sandbox-error.js";
${errors.map(classOf).join("")}
/** All classes, by their code. */
export const ERRORS: Readonly<Record<string, typeof SandboxError>> = {
${errors.map(({ code }) => `  ${code}: ${nameOf(code)},`).join("\n")}
};
`;

const source = render(JSON.parse(readFileSync(CATALOGUE, "utf8")).errors);
if (process.argv.includes("--print")) process.stdout.write(source);
else writeFileSync(TARGET, source);
