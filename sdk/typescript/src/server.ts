import { namedKey, namedServer } from "./address.js";
import { serverCalls } from "./calls.js";
import type { ImageInfo, SandboxInfo, ServerInfo } from "./info.js";
import { camelCased, type Json } from "./json.js";
import type { CallOptions, ListOptions, ServerOptions } from "./options.js";
import { Transport } from "./transport.js";

/** What a server has, whatever its sandboxes do. */
export class Server {
  readonly #transport: Transport;

  /** The server that is named, else the local one, which is started if need be. */
  constructor({ serverUrl, apiKey }: ServerOptions = {}) {
    this.#transport = new Transport(namedServer(serverUrl), namedKey(apiKey));
  }

  /** Lists the caller's sandboxes, the oldest first: of one namespace or of all, with all of the labels. */
  async sandboxes({ namespace, labels = {}, signal }: ListOptions = {}): Promise<SandboxInfo[]> {
    const { sandboxes } = (await this.#transport.json(serverCalls.sandboxes(namespace, labels), signal)) as {
      sandboxes: Json[];
    };
    return sandboxes.map((body) => camelCased(body) as unknown as SandboxInfo);
  }

  /** Lists the images that sandboxes can be made of. */
  async images({ signal }: CallOptions = {}): Promise<ImageInfo[]> {
    const { images } = (await this.#transport.json(serverCalls.images(), signal)) as { images: Json[] };
    return images.map((body) => camelCased(body) as unknown as ImageInfo);
  }

  /** What the server says of itself. */
  async info({ signal }: CallOptions = {}): Promise<ServerInfo> {
    const body = (await this.#transport.json(serverCalls.info(), signal)) as Json;
    return camelCased(body) as unknown as ServerInfo;
  }
}
