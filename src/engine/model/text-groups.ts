/** Texts whose new tokens go through a model in one run. */

/** New tokens of some consecutive texts, each text's at once. */
export interface Group {
  /** The first of the texts. */
  readonly first: number;
  /** As many for each, unless these are the first tokens of the texts; with several for a text that goes on, one text. */
  readonly rows: readonly (readonly number[])[];
  /** What follows each of the new tokens is wanted, of one text; only what follows the last ones otherwise. */
  readonly all?: boolean;
}

/** Tokens of the longest row. */
export const longest = (rows: readonly (readonly number[])[]): number => Math.max(...rows.map((row) => row.length));

/**
 * Neighbours whose first tokens fit into one run, filled up to the longest of them; no prompt that is longer than a run.
 */
export function groupsOf(prompts: readonly (readonly number[])[], tokensPerRun: number): Group[] {
  const groups: { first: number; rows: (readonly number[])[] }[] = [];
  for (const [text, prompt] of prompts.entries()) {
    if (prompt.length > tokensPerRun) continue;
    const last = groups.at(-1);
    const isNext = last !== undefined && last.first + last.rows.length === text;
    if (isNext && (last.rows.length + 1) * longest([...last.rows, prompt]) <= tokensPerRun) last.rows.push(prompt);
    else groups.push({ first: text, rows: [prompt] });
  }
  return groups;
}
