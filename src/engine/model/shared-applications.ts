/**
 * The cost of views that share a state up to their first difference, as `statesOfViews` computes them. Pure arithmetic; it
 * loads nothing that computes.
 */
import type { Range } from '../parts/split';
import type { View } from './view';

/** Applications of a block for each row, if the views share what they have in common. */
export const sharedApplications = (views: readonly View[]): number =>
  new SharedApplications(views).of({ from: 0, to: views.length });

/** The same of any of the views that follow each other. */
export class SharedApplications {
  /** Of each view, how many of the blocks from block b on it computes. */
  private readonly after: readonly Int32Array[];
  /** How many of the first blocks a view shares with each view before it. */
  private readonly common: readonly Int32Array[];
  /** By the first view: applications of no view, of one, of two … from there on. */
  private readonly sums = new Map<number, Int32Array>();

  constructor(views: readonly View[]) {
    this.after = views.map(computedAfter);
    this.common = views.map((view, v) => Int32Array.from(views.slice(0, v), (other) => commonBlocks(view, other)));
  }

  of({ from, to }: Range): number {
    let sums = this.sums.get(from);
    if (!sums) this.sums.set(from, (sums = this.sumsFrom(from)));
    return sums[to - from];
  }

  /** A view adds the blocks after the longest beginning that it shares with a view before. */
  private sumsFrom(from: number): Int32Array {
    const { common, after } = this;
    const sums = new Int32Array(after.length - from + 1);
    for (let v = from; v < after.length; v++) {
      const shared = common[v].subarray(from).reduce((most, blocks) => Math.max(most, blocks), 0);
      sums[v - from + 1] = sums[v - from] + after[v][shared];
    }
    return sums;
  }
}

function computedAfter({ attention, ffn }: View): Int32Array {
  const count = new Int32Array(attention.length + 1);
  for (let b = attention.length - 1; b >= 0; b--) count[b] = count[b + 1] + Number(attention[b] || ffn[b]);
  return count;
}

function commonBlocks(a: View, b: View): number {
  const different = a.attention.findIndex((has, block) => has !== b.attention[block] || a.ffn[block] !== b.ffn[block]);
  return different < 0 ? a.attention.length : different;
}
