/** One code block of a page. */
export interface Block {
  /** The nearest heading that is not a mere "Usage Examples". */
  readonly heading: string;
  readonly language: string;
  readonly source: string;
}

/** The code blocks of a page in their order, of one language or of all. */
export function blocksOf(page: string, language?: string): Block[] {
  const found: Block[] = [];
  const parts = /^#+ (?<heading>.*)$|^```(?<language>\w+)\n(?<source>[\s\S]*?)^```$/gm;
  let heading = "";
  for (const { groups } of page.matchAll(parts)) {
    if (groups?.heading !== undefined) {
      if (groups.heading !== "Usage Examples") heading = groups.heading;
    } else if (language === undefined || groups?.language === language) {
      found.push({ heading, language: groups?.language ?? "", source: groups?.source ?? "" });
    }
  }
  return found;
}
