/**
 * Runs of a group whose products are taken together. In wide models a run has few tokens, so that it stays about a second; but adding
 * products in float64 takes as long as the products of a few hundred tokens. So they are of as many tokens as in a small model.
 */
import { type Feeds, float32, floats, type Tensor } from '../onnx/session';
import type { GramSums } from './gram';
import type { Collector } from './site-sums';
import type { RowRun } from './streams';

/** What the products of a run are of: X, what is wanted and found, and more inputs of the form, each with a row for every token. */
export interface RunProducts {
  readonly x: Float32Array;
  readonly wanted: Tensor;
  readonly found: Tensor;
  readonly more?: Feeds;
}

/** A run that waits for the others of its piece. */
interface Gathered {
  readonly run: RowRun;
  readonly squares: number | undefined;
}

/** Takes the products of runs, piece by piece, and hands them to a collector. */
export class PieceSums {
  private gathered: Gathered[] = [];
  /** What the runs of a piece were given, by name, one after the other; the next piece takes the same memory. */
  private readonly buffers = new Map<string, Float32Array>();
  private filled: Record<string, number> = {};

  /**
   * @param runs all runs of this process
   * @param length tokens of a row
   * @param collector undefined where only Σ R² is wanted
   * @param done called with Σ R² of each run that is summed, in their order, once it is known
   */
  constructor(
    private readonly sums: GramSums,
    private readonly runs: readonly RowRun[],
    private readonly length: number,
    private readonly collector: Collector | undefined,
    private readonly done: (squares: number) => void = () => undefined,
  ) {}

  /**
   * Adds the p-th run. What is given may be used again afterwards.
   * @param squares Σ R² of the run, where it is known; otherwise the products tell it
   */
  async add(p: number, { x, wanted, found, more = {} }: RunProducts, squares?: number): Promise<void> {
    const run = this.runs[p];
    const isLast = this.runs[p + 1]?.piece !== run.piece;
    const feeds: Feeds = { wanted, found, ...more };
    this.gathered.push({ run, squares });
    if (isLast && this.gathered.length === 1) return this.take(x, feeds);
    this.gather('x', x);
    for (const [name, tensor] of Object.entries(feeds)) this.gather(name, floats(tensor));
    if (!isLast) return;
    const together = Object.entries(feeds).map(([name, { dims }]) => {
      const data = this.gatheredOf(name);
      return [name, float32(data, [data.length / dims[1], dims[1]])] as const;
    });
    return this.take(this.gatheredOf('x'), Object.fromEntries(together));
  }

  private async take(x: Float32Array, { wanted, found, ...more }: Feeds): Promise<void> {
    const { gathered, collector } = this;
    const equations = collector?.begin(gathered[0].run);
    const perToken = await this.sums.add(equations, x, wanted, found, more);
    let from = 0;
    for (const { run, squares } of gathered) {
      const end = from + run.rows * this.length;
      const own = squares ?? sum(perToken.subarray(from, end));
      from = end;
      this.done(own);
      await collector?.end(run, own);
    }
    this.gathered = [];
    this.filled = {};
  }

  private gather(name: string, data: Float32Array): void {
    const at = this.filled[name] ?? 0;
    let buffer = this.buffers.get(name);
    if (!buffer || buffer.length < at + data.length) {
      const { rows } = this.gathered[this.gathered.length - 1].run;
      const larger = new Float32Array(Math.max(at + data.length, (data.length / rows) * largestPiece(this.runs)));
      if (buffer) larger.set(buffer.subarray(0, at));
      this.buffers.set(name, (buffer = larger));
    }
    buffer.set(data, at);
    this.filled[name] = at + data.length;
  }

  private gatheredOf(name: string): Float32Array {
    return this.buffers.get(name)!.subarray(0, this.filled[name]);
  }
}

const sum = (values: Float32Array): number => values.reduce((total, value) => total + value, 0);

/** Rows of the largest piece. */
function largestPiece(runs: readonly RowRun[]): number {
  const rows = new Map<number, number>();
  for (const { piece, rows: own } of runs) rows.set(piece, (rows.get(piece) ?? 0) + own);
  return Math.max(...rows.values());
}
