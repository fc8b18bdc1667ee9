import { InternalError, InvalidRequestError } from "./errors.js";

/** An object as the wire has it. */
export type Json = Readonly<Record<string, unknown>>;

/** The same object with its own names as JavaScript writes them: `time_to_live` becomes `timeToLive`. Values stay. */
export function camelCased(object: Json): Json {
  const entries = Object.entries(object).map(([name, value]) => [camelCase(name), value]);
  return Object.fromEntries(entries) as Json;
}

/** Text of an object without the fields that are undefined. Names are written as the wire has them; values stay. */
export function snakeCasedText(object: object): string {
  const given = Object.entries(object).filter(([, value]) => value !== undefined);
  for (const [name, value] of given) requireFinite(name, value);
  return JSON.stringify(Object.fromEntries(given.map(([name, value]) => [snakeCase(name), value])));
}

/** Refuses NaN and infinity, which JSON would silently turn into null and so into a missing limit. */
export function requireFinite(name: string, value: unknown): void {
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new InvalidRequestError(`${name} is not a number: ${value}`, { details: { field: name } });
  }
}

/** Reads what the server sent. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InternalError(`the server sent what is not JSON: '${text.slice(0, 60)}'; is it a microsandbox server?`, {
      cause,
    });
  }
}

function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
