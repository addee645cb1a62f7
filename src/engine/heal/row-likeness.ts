/** The likeness of two models, row by row, and that of all rows: sums over positions, added in the order of the rows. */
import type { Comparison } from '../model/divergence';
import type { HealStages, Likeness } from './result';

/** Sums over the positions of a row. */
export type RowLikeness = readonly [positions: number, loss: number, divergence: number, agreeing: number];

/** Measured rows: of each stage (plain, healed, rounded), row by row. */
export type RowStages = readonly (readonly RowLikeness[])[];

/** What was measured, by the rows' use. */
export interface Measured {
  readonly fit?: RowStages;
  readonly heldOut?: RowStages;
}

/** The rows of a comparison. @param positions of a row */
export function rowLikeness({ losses, divergences, agree }: Comparison, positions: number): RowLikeness[] {
  const rows: RowLikeness[] = [];
  for (let from = 0; from < losses.length; from += positions) {
    let [loss, divergence, agreeing] = [0, 0, 0];
    for (let i = from; i < from + positions; i++) {
      loss += losses[i];
      divergence += divergences[i];
      agreeing += agree[i];
    }
    rows.push([positions, loss, divergence, agreeing]);
  }
  return rows;
}

/** The stages of all rows; undefined where none was measured. @param parts in the order of their rows */
export function stagesOf(parts: readonly (RowStages | undefined)[]): HealStages | undefined {
  const there = parts.filter((part) => part !== undefined);
  if (there.length === 0) return undefined;
  const [before, after, rounded] = there[0].map((_, stage) => likenessOf(there.flatMap((part) => part[stage])));
  return { rows: there.reduce((sum, [plain]) => sum + plain.length, 0), before, after, rounded };
}

function likenessOf(rows: readonly RowLikeness[]): Likeness {
  const [positions, loss, divergence, agreeing] = [0, 1, 2, 3].map((i) => rows.reduce((sum, row) => sum + row[i], 0));
  const meanNll = loss / positions;
  return { meanNll, ppl: Math.exp(meanNll), kl: divergence / positions, top1: agreeing / positions };
}
