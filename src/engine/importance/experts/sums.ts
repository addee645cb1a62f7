/**
 * What is summed of every expert over tokens: how many have it, its weights, and its weights times the norms of what it gives. Row
 * by row, and the rows then in their order, so that the sums have the same bits whichever process computed which rows.
 */
import { type Filled, type Table, TableFault } from '../../parts/table';
import { type Range, size } from '../../parts/split';

/** Sums of the experts of one block, in float64; one number for each expert. */
export interface ExpertSums {
  /** In the model. */
  readonly block: number;
  /** Tokens routed to the expert. */
  readonly tokens: Float64Array;
  /** Σ of its weights, as the model applies them. */
  readonly gates: Float64Array;
  /** Σ of the weight times the L2 norm of the expert's own output. */
  readonly norms: Float64Array;
}

export const emptySums = (block: number, experts: number): ExpertSums => ({
  block,
  tokens: new Float64Array(experts),
  gates: new Float64Array(experts),
  norms: new Float64Array(experts),
});

/** Means over the tokens of each expert; 0 for an expert without any. */
export const meansOf = (sums: Float64Array, tokens: Float64Array): number[] =>
  Array.from(sums, (sum, e) => (tokens[e] > 0 ? sum / tokens[e] : 0));

/** The sums of the experts of one block over single rows: (rows · experts). */
export type RowSums = Omit<ExpertSums, 'block'>;

const MEASURES = ['tokens', 'gates', 'norms'] as const satisfies readonly (keyof RowSums)[];

export const emptyRowSums = (rows: number, experts: number): RowSums => emptySums(0, rows * experts);

/** Adds rows to a block's sums, one after another. */
export function addRows(sums: ExpertSums, rows: RowSums): void {
  const experts = sums.tokens.length;
  for (const measure of MEASURES) {
    const [into, from] = [sums[measure], rows[measure]];
    for (let i = 0; i < from.length; i++) into[i % experts] += from[i];
  }
}

/**
 * The sums of some rows as a part of a table, whose variants are the experts of all blocks, one block after another.
 * @param blocks of each block, its groups of rows in order
 */
export function filledBySums(blocks: readonly (readonly RowSums[])[], experts: number, rows: Range): Filled[] {
  return blocks.map((groups, b) => {
    const values = Object.fromEntries(
      MEASURES.map((measure) => [
        measure,
        byExpert(
          groups.map((group) => group[measure]),
          experts,
          size(rows),
        ),
      ]),
    );
    return { variants: { from: b * experts, to: (b + 1) * experts }, rows, values };
  });
}

/** (rows · experts) in groups of rows, as (experts · rows). */
function byExpert(groups: readonly Float64Array[], experts: number, rows: number): number[] {
  const turned = new Array<number>(experts * rows).fill(0);
  let row = 0;
  for (const group of groups) {
    for (let i = 0; i < group.length; i++) turned[(i % experts) * rows + row + Math.floor(i / experts)] = group[i];
    row += group.length / experts;
  }
  return turned;
}

/** The sums of all rows. @throws TableFault where some are missing */
export function sumsIn(table: Table, blocks: readonly number[], experts: number): ExpertSums[] {
  return blocks.map((block, b) => {
    const of = (measure: keyof RowSums): Float64Array => {
      const found: number[] = []; // a file says how many experts there are, so each column must be there first
      for (let e = 0; e < experts; e++)
        found.push(table.column(measure, b * experts + e).reduce((sum, value) => sum + value, 0));
      return Float64Array.from(found);
    };
    const sums = { block, tokens: of('tokens'), gates: of('gates'), norms: of('norms') };
    if (!sums.tokens.every(Number.isSafeInteger))
      throw new TableFault(`tokens of block ${block} are no numbers of tokens`);
    return sums;
  });
}
