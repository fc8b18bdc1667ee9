import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { connect } from "node:net";
import { delimiter, dirname, join } from "node:path";
import { type Address, DEFAULT_SOCKET, DEFAULT_URL, parseAddress, socketAddress } from "./address.js";
import { ServerUnreachableError } from "./errors.js";

const START_MILLIS = 60_000;
const PROBE_MILLIS = 1_000;

let starting: Promise<void> | undefined;

/** Gives the address of the local server, for clients that named none; starts it where none answers. */
export async function localServer(): Promise<Address> {
  const found = await findLocal();
  if (found !== undefined) return found;
  // Many sandboxes may be created at once, but one server is started.
  starting ??= startLocalServer().finally(() => {
    starting = undefined;
  });
  await starting;
  const started = await findLocal();
  if (started === undefined) {
    throw new ServerUnreachableError("the local server was started but does not answer; see: msb server status");
  }
  return started;
}

/** Whether something accepts connections there, and this user may connect. */
export function answers({ connection }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const probe =
      "socketPath" in connection
        ? connect({ path: connection.socketPath })
        : connect({ host: connection.hostname, port: connection.port });
    const end = (answered: boolean) => {
      probe.destroy();
      resolve(answered);
    };
    probe.setTimeout(PROBE_MILLIS, () => end(false));
    probe.once("connect", () => end(true));
    probe.once("error", () => end(false));
  });
}

/** Path of the `msb` command: `MSB_PATH`, the PATH, or the checkout that this package lies in. */
export function findMsb(folder = __dirname): string | undefined {
  if (process.env.MSB_PATH) return process.env.MSB_PATH;
  for (const entry of (process.env.PATH ?? "").split(delimiter)) {
    if (entry !== "" && isProgram(join(entry, "msb"))) return join(entry, "msb");
  }
  for (let parent = folder; parent !== dirname(parent); parent = dirname(parent)) {
    if (isProgram(join(parent, "msb")) && existsSync(join(parent, "spec/openapi.yaml"))) return join(parent, "msb");
  }
  return undefined;
}

async function findLocal(): Promise<Address | undefined> {
  for (const address of [socketAddress(DEFAULT_SOCKET), parseAddress(DEFAULT_URL)]) {
    if (await answers(address)) return address;
  }
  return undefined;
}

/** Runs `msb server start`, by sudo where this is not root, and says so. */
async function startLocalServer(): Promise<void> {
  const msb = findMsb();
  if (msb === undefined) {
    throw new ServerUnreachableError(
      "no server answers and the msb command is not on the PATH; start one with: msb server start",
    );
  }
  const isRoot = process.geteuid?.() === 0;
  const [program, ...args] = isRoot ? [msb, "server", "start"] : ["sudo", "-n", msb, "server", "start"];
  console.error(`microsandbox: no server answers, starting the local one (${[program, ...args].join(" ")})`);
  await new Promise<void>((resolve, reject) => {
    const child = execFile(program as string, args, { timeout: START_MILLIS }, (error, _stdout, stderr) => {
      if (error === null) return resolve();
      const reason = stderr.trim() || error.message;
      const message = `the local server could not be started; try: sudo ${msb} server start\n${reason}`;
      reject(new ServerUnreachableError(message, { cause: error }));
    });
    child.stdin?.end();
  });
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
