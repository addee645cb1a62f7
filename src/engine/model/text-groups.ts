/** Texts whose new tokens go through a model in one run. */
import { float32, type Tensor } from '../onnx/session';
import type { Model } from './model';

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

/** The states of a group's new tokens, (texts · length, hidden). A shorter row repeats its last token. */
export async function embedGroup({ architecture, embedding }: Model, { rows }: Group): Promise<Tensor> {
  const length = longest(rows);
  const ids = rows.flatMap((row) => Array.from({ length }, (_, i) => row[Math.min(i, row.length - 1)]));
  return float32(await embedding.lookUp(ids), [ids.length, architecture.hidden]);
}
