/** One forward pass that hands the residual stream between blocks to criteria that compare states. */
import { partName, Work, type JobOptions } from '../progress';
import { rowsPerGroup } from '../model/cost';
import { Forward, type TokenRows } from '../model/forward';
import type { Model } from '../model/model';
import { releaseState, type Chunk, type State } from '../model/states';
import type { Step } from '../model/view';
import type { Range } from '../parts/split';
import { type Filled, filledFrom } from '../parts/table';

/**
 * Called with the states before and after each step, in this process's memory, chunk by chunk. `firstRow` is the index
 * of the chunk's first row.
 */
export type Compare = (step: number, firstRow: number, before: Chunk, after: Chunk) => void;

/** Streams `rows` through `steps`, in groups that fit the model's memory budget. @throws CancelledError */
export async function streamResidual(
  model: Model,
  rows: TokenRows,
  steps: readonly Step[],
  compare: Compare,
  job: JobOptions = {},
): Promise<void> {
  const { length } = rows[0];
  const forward = new Forward(model, length);
  const rowBytes = length * model.architecture.hidden * 4;
  const perGroup = rowsPerGroup(Math.floor(model.memory / rowBytes), length);
  const work = new Work(job, rows.length * steps.length, 'row-blocks', 'reading the model');
  for (let first = 0; first < rows.length; first += perGroup) {
    const part = partName(first / perGroup, Math.ceil(rows.length / perGroup));
    let state: State = await forward.embed(rows.slice(first, first + perGroup));
    for (const [k, step] of steps.entries()) {
      work.step(`${part}block ${k + 1} of ${steps.length}`);
      const open = await forward.open(step, true);
      try {
        const next: Chunk[] = [];
        let row = first;
        for (const chunk of state) {
          const after = await open.run(chunk);
          compare(k, row, chunk, after);
          chunk.release();
          next.push(after);
          row += chunk.rows;
          work.advance(chunk.rows);
        }
        state = next;
      } finally {
        await open.close();
      }
    }
    releaseState(state);
  }
}

/** Numbers of zero states of each row, as variant 0 of a table. */
export const filledZeros = (rows: Range, zeros: Float64Array): Filled[] => filledFrom(0, rows, [{ zeros }]);

/** The number of zero states, if there are any. @param zeros of each row */
export function zeroStatesIn(zeros: Float64Array): { readonly zeroStates?: number } {
  const zeroStates = zeros.reduce((sum, count) => sum + count, 0);
  return zeroStates > 0 ? { zeroStates } : {};
}

/** `states` holds vectors of `size` numbers. @returns how many of them are all zeros */
export function countZeros(states: Float32Array, size: number): number {
  let zeros = 0;
  for (let at = 0; at < states.length; at += size) {
    if (states.subarray(at, at + size).every((value) => value === 0)) zeros++;
  }
  return zeros;
}

/**
 * Cosine of the angle between two vectors of `size` numbers at offset `at`, in float64. A zero vector has no direction:
 * compared with another zero vector it is unchanged (1), compared with any other vector it is at a right angle (0).
 */
export function cosine(a: Float32Array, b: Float32Array, at: number, size: number): number {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let i = at; i < at + size; i++) {
    dot += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  if (aa === 0 && bb === 0) return 1;
  if (aa === 0 || bb === 0) return dot; // 0, or NaN when a component is NaN
  return dot / Math.sqrt(aa * bb);
}
