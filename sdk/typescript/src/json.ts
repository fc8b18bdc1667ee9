/** An object as the wire has it. */
export type Json = Readonly<Record<string, unknown>>;

/** The same object with its own names as JavaScript writes them: `time_to_live` becomes `timeToLive`. Values stay. */
export function camelCased(object: Json): Json {
  const entries = Object.entries(object).map(([name, value]) => [camelCase(name), value]);
  return Object.fromEntries(entries) as Json;
}

/** Text of an object without the fields that are undefined. Names are written as the wire has them; values stay. */
export function snakeCasedText(object: object): string {
  const entries = Object.entries(object)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [snakeCase(name), value]);
  return JSON.stringify(Object.fromEntries(entries));
}

function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
