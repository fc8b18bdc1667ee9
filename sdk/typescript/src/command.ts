import type { Call } from "./calls.js";
import type { RunEvent } from "./events.js";
import { CommandExecution, type RunBody } from "./execution.js";
import type { CommandOptions, CommandStreamOptions, SignalOptions } from "./options.js";
import type { Session } from "./session.js";

/** Runs programs in a sandbox; no shell is involved. */
export class Command {
  readonly #session: Session;

  /** @internal */
  constructor(session: Session) {
    this.#session = session;
  }

  /** Runs a program and waits for its end. A number is the time limit in seconds. */
  async run(
    command: string,
    args: readonly string[] = [],
    options: CommandOptions | number = {},
  ): Promise<CommandExecution> {
    const { call, signal } = this.#call(command, args, options);
    return new CommandExecution(await this.#session.json<RunBody>(call, signal), command, [...args]);
  }

  /** Runs a program and gives its events as they happen. Leaving the iteration early ends it. */
  stream(
    command: string,
    args: readonly string[] = [],
    options: CommandStreamOptions | number = {},
  ): AsyncGenerator<RunEvent, void, void> {
    const { call, signal } = this.#call(command, args, options);
    return this.#session.events(call, signal);
  }

  /** Sends a signal, by its number, to a command that runs. Harmless after its end. */
  async signal(runId: string, number: number, { signal, group }: SignalOptions = {}): Promise<void> {
    await this.#session.json(this.#session.calls.signal(runId, { signal: number, group }), signal);
  }

  #call(
    command: string,
    args: readonly string[],
    options: CommandOptions | CommandStreamOptions | number,
  ): { call: Call; signal: AbortSignal | undefined } {
    const { signal, stdin, timeout, ...rest } = typeof options === "number" ? { timeout: options } : options;
    const input =
      stdin instanceof Uint8Array ? { stdin_base64: Buffer.from(stdin).toString("base64") } : { stdin: stdin };
    const call = this.#session.calls.command({ argv: [command, ...args], timeout, ...rest, ...input });
    return { call, signal };
  }
}
