/**
 * What a changed matrix of a quantized file becomes: a type that keeps the change. Rounding back to four bits loses a part of what
 * healing brings, because the new numbers do not lie on the steps of the old ones.
 */
import { formatBytes } from '../../../format/numbers';
import type { StoredDtype } from '../../formats/dtype';
import { bytesOfElements } from '../../formats/gguf/types';
import type { RewrittenDtype } from '../rewrite';
import { isRewritten } from './types';

/**
 * Of Gemma 3 270M without two sets of blocks, healed, on 12 windows of WikiText-2: the share of what healing takes off the KL
 * divergence that rounding the healed matrices loses is 1.4 and 8.6 % for their own types (Q4_K, Q6_K), 1.9 and 8.3 % for Q5_0,
 * 0.4 and 3.6 % for Q5_1 (Q6_K as Q8_0), which adds 1.2 % to the file, and none and 0.4 % for Q8_0, which adds 2.3 %.
 */
const FINER: Readonly<Record<string, RewrittenDtype>> = {
  Q4_0: 'Q5_1',
  Q4_1: 'Q5_1',
  Q5_0: 'Q5_1',
  Q2_K: 'Q5_1',
  Q3_K: 'Q5_1',
  Q4_K: 'Q5_1',
  Q5_K: 'Q5_1',
  Q6_K: 'Q8_0',
  IQ4_NL: 'Q5_1',
  IQ4_XS: 'Q5_1',
};

/** The type of a changed matrix that had this one. */
export function keepingType(dtype: StoredDtype): RewrittenDtype {
  const finer = FINER[dtype] ?? dtype;
  if (!isRewritten(finer)) throw new Error(`a changed matrix of ${dtype} has no type`);
  return finer;
}

/** Changed matrices in other types than they had. */
export interface FinerTypes {
  readonly matrices: number;
  /** How many more they have together; fewer where it is below 0. */
  readonly bytes: number;
  /** From what to what, with the number of matrices. */
  readonly types: readonly { readonly from: string; readonly to: string; readonly matrices: number }[];
}

/** Adds them up. */
export class FinerSum {
  private readonly types = new Map<string, FinerTypes['types'][number]>();
  private bytes = 0;

  add(from: StoredDtype, to: RewrittenDtype, shape: readonly number[]): void {
    const elements = shape.reduce((product, length) => product * length, 1);
    this.bytes += bytesOfElements(to, elements) - bytesOfElements(from, elements);
    const key = `${from} ${to}`;
    this.types.set(key, { from, to, matrices: (this.types.get(key)?.matrices ?? 0) + 1 });
  }

  /** Undefined if there are none. */
  get all(): FinerTypes | undefined {
    const types = [...this.types.values()];
    if (types.length === 0) return undefined;
    return { matrices: types.reduce((sum, { matrices }) => sum + matrices, 0), bytes: this.bytes, types };
  }
}

/** "14 changed matrices are kept in finer types, 10 in Q5_1 instead of Q4_K and 4 in Q8_0 instead of Q6_K: 2.9 MB more" */
export function finerNote({ matrices, bytes, types }: FinerTypes): string {
  const which = types.map(({ from, to, matrices: some }) =>
    types.length === 1 ? `${to} instead of ${from}` : `${some} in ${to} instead of ${from}`,
  );
  const what = matrices === 1 ? '1 changed matrix is' : `${matrices} changed matrices are`;
  const size = `${formatBytes(Math.abs(bytes))} ${bytes < 0 ? 'less' : 'more'}`;
  return `${what} kept in ${which.join(' and ')}: ${size}`;
}
