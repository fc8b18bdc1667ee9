import { InternalError } from "./errors.js";
import type { RunEvent } from "./events.js";
import { camelCased, type Json, parseJson } from "./json.js";

const MAXIMUM_EVENT = 64 * 1024 * 1024;
const LINE_END = 10;

/** An event as the stream has it. */
export interface RawEvent {
  readonly type: string;
  readonly data: Json;
  /** Where to go on from after this one's output. */
  readonly offset: number | undefined;
}

/** Turns bytes of an event stream into events, whatever the borders of the blocks. */
export class EventParser {
  #rest: Buffer[] = [];
  #restLength = 0;
  #type = "";
  #data: string[] = [];
  #offset: number | undefined;

  /** Gives the events that this block completes. */
  *feed(block: Buffer): Generator<RawEvent> {
    let begin = 0;
    for (let end = block.indexOf(LINE_END); end >= 0; end = block.indexOf(LINE_END, begin)) {
      const event = this.#line(this.#completed(block.subarray(begin, end)));
      begin = end + 1;
      if (event !== undefined) yield event;
    }
    this.#keep(block.subarray(begin));
  }

  #completed(end: Buffer): string {
    const whole = this.#rest.length > 0 ? Buffer.concat([...this.#rest, end]) : end;
    this.#rest = [];
    this.#restLength = 0;
    return whole.toString("utf8").replace(/\r$/, "");
  }

  #keep(rest: Buffer): void {
    if (rest.length === 0) return;
    this.#rest.push(rest);
    this.#restLength += rest.length;
    if (this.#restLength > MAXIMUM_EVENT) throw new InternalError("the server sent an endless event");
  }

  #line(line: string): RawEvent | undefined {
    if (line.startsWith("data:")) {
      this.#data.push(line.slice(5).trimStart());
    } else if (line.startsWith("event:")) {
      this.#type = line.slice(6).trim();
    } else if (/^id: *\d+$/.test(line)) {
      this.#offset = Number(line.slice(3));
    } else if (line === "" && this.#data.length > 0) {
      const event = {
        type: this.#type || "message",
        data: parseJson(this.#data.join("\n")) as Json,
        offset: this.#offset,
      };
      this.#type = "";
      this.#data = [];
      this.#offset = undefined;
      return event;
    }
    return undefined;
  }
}

/** Reads an event; undefined for a kind that is newer than this package. */
export function readEvent({ type, data, offset }: RawEvent): RunEvent | undefined {
  switch (type) {
    case "stdout":
    case "stderr":
      return readOutput(type, data, offset);
    case "started":
    case "result":
    case "error":
    case "finished":
      return { ...camelCased(data), type } as unknown as RunEvent;
    default:
      return undefined;
  }
}

function readOutput(type: "stdout" | "stderr", data: Json, offset: number | undefined): RunEvent {
  const place = offset === undefined ? {} : { offset };
  return typeof data.base64 === "string"
    ? { type, text: "", content: new Uint8Array(Buffer.from(data.base64, "base64")), ...place }
    : { type, text: String(data.text ?? ""), ...place };
}
