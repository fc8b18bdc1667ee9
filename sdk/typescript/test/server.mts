// A real server for the tests that need one: a home of its own, a free port. It is started by the `msb` of this checkout.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { ROOT } from "./checkout.mjs";

const IMAGES = join(process.env.MICROSANDBOX_HOME ?? "/var/lib/microsandbox", "images");

/** A running server of the tests'. */
export class Server {
  readonly url: string;
  readonly socket: string;
  readonly home: string;

  private constructor(url: string, home: string) {
    this.url = url;
    this.home = home;
    this.socket = join(home, "msb.sock");
  }

  /** Starts one that shares the machine's images. */
  static async start({ settings = [], isDev = true }: { settings?: string[]; isDev?: boolean } = {}): Promise<Server> {
    const home = mkdtempSync("/tmp/msb-");
    symlinkSync(IMAGES, join(home, "images"));
    const options = [`socket=${home}/msb.sock`, ...settings].map((setting) => `--set=${setting}`);
    for (let attempts = 1; ; attempts++) {
      const port = await freePort();
      const server = new Server(`http://127.0.0.1:${port}`, home);
      try {
        server.msb("server", "start", "--port", String(port), ...(isDev ? ["--dev"] : []), ...options);
        return server;
      } catch (error) {
        // Another program may have taken the port since it was found free.
        if (attempts < 5 && String(error).includes("another program listens")) continue;
        rmSync(home, { recursive: true });
        throw error;
      }
    }
  }

  /** Runs `msb` against it and gives what it printed. */
  msb(...args: string[]): string {
    const done = spawnSync(join(ROOT, "msb"), args, {
      env: { ...process.env, MSB_SERVER_URL: `unix:${this.socket}`, MICROSANDBOX_HOME: this.home },
      stdio: ["ignore", "pipe", "pipe"],
      encoding: "utf8",
      timeout: 180_000,
    });
    assert.equal(done.status, 0, done.stderr);
    return done.stdout;
  }

  /** Ends it and removes its home. Its sandboxes were ephemeral, so it must leave none. */
  stop(): void {
    this.msb("server", "stop");
    const sandboxes = join(this.home, "sandboxes");
    const left = existsSync(sandboxes) ? readdirSync(sandboxes) : [];
    rmSync(this.home, { recursive: true });
    assert.deepEqual(left, [], "a stopped server left sandboxes of the ephemeral kind");
  }
}

async function freePort(): Promise<number> {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  taken.close();
  await once(taken, "close");
  return port;
}
