// Removes folders of this package: node scripts/clean.mjs dist build

import { rmSync } from "node:fs";
import { join } from "node:path";

for (const folder of process.argv.slice(2))
  rmSync(join(import.meta.dirname, "..", folder), { recursive: true, force: true });
