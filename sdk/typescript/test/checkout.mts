// The folders of this checkout. The compiled tests lie in `build/test`.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const PACKAGE = join(dirname(fileURLToPath(import.meta.url)), "../..");
export const ROOT = join(PACKAGE, "../..");

/** Reads JSON of this checkout, by its path from the root. */
export function json<T>(path: string): T {
  return JSON.parse(readFileSync(join(ROOT, path), "utf8")) as T;
}
