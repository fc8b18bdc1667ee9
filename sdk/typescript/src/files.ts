import type { ReadOptions, WriteOptions } from "./options.js";
import type { Session } from "./session.js";

/** Files of a sandbox, with the rights of its user. Relative paths begin at the user's home. */
export class Files {
  readonly #session: Session;

  /** @internal */
  constructor(session: Session) {
    this.#session = session;
  }

  /** Reads a whole file. */
  async read(path: string, { signal, ...query }: ReadOptions = {}): Promise<Uint8Array> {
    return this.#session.bytes(this.#session.calls.readFile({ path, ...query }), signal);
  }

  /** Reads a whole file as UTF-8; what is not valid is replaced by U+FFFD. */
  async readText(path: string, options: ReadOptions = {}): Promise<string> {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(await this.read(path, options));
  }

  /** Writes a whole file, in one step as far as others can see; missing folders are made. */
  async write(path: string, content: string | Uint8Array, options: WriteOptions = {}): Promise<void> {
    const { signal, user, mode, makeDirectories } = options;
    const query = {
      path,
      user,
      mode: mode?.toString(8).padStart(4, "0"),
      make_directories: makeDirectories,
    };
    await this.#session.bytes(this.#session.calls.writeFile(query, content), signal);
  }
}
