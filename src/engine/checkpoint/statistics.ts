/** Statistics of the values of one tensor, read in pieces. They reveal a damaged or unusual tensor. */
import { UserError } from '../errors';
import { Work, type JobOptions } from '../progress';
import { withPieces } from '../formats/read-tensor';
import { elements } from './parameters';
import type { TensorInfo } from '../formats/tensor';
import { numbersOf } from '../formats/numbers';

export interface TensorStatistics {
  readonly elements: number;
  /** Of the finite values; null without finite values. */
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  /** Standard deviation of the population. */
  readonly standardDeviation: number | null;
  readonly zeros: number;
  readonly nan: number;
  readonly infinite: number;
  /** Finite values in bins of equal width from min to max; all in the first bin if min equals max. */
  readonly histogram: readonly number[];
}

const BINS = 64;

/**
 * Reads the tensor twice: once for the range and the moments, once for the histogram.
 * @throws UserError if it cannot be read or its type packs several numbers into a byte; CancelledError
 */
export async function tensorStatistics(tensor: TensorInfo, job: JobOptions = {}): Promise<TensorStatistics> {
  const numbers = numbersOf(tensor.dtype);
  if (!numbers) {
    throw new UserError(
      `No statistics of ${tensor.name}`,
      `its type is ${tensor.dtype}, whose elements are not single real numbers in whole bytes`,
      'Look at another tensor.',
    );
  }
  const work = new Work(job, 2 * tensor.bytes, 'bytes', 'reading');
  return withPieces(tensor, async (each) => {
    const eachPiece = (use: (values: Iterable<number>) => void): Promise<void> =>
      each((piece) => {
        use(numbers(piece));
        work.advance(piece.length);
      });
    const moments = new Moments();
    await eachPiece((values) => moments.add(values));
    const { min, max } = moments;
    const histogram = Array<number>(BINS).fill(0);
    const scale = max > min ? BINS / (max - min) : 0;
    await eachPiece((values) => {
      for (const value of values) {
        if (Number.isFinite(value)) histogram[Math.min(BINS - 1, Math.floor((value - min) * scale))]++;
      }
    });
    return { elements: elements(tensor.shape), ...moments.summary(), histogram };
  });
}

/** Range, mean and deviation of the finite values; updates the mean piece by piece to keep sums small. */
class Moments {
  min = Infinity;
  max = -Infinity;
  private zeros = 0;
  private nan = 0;
  private infinite = 0;
  private count = 0;
  private mean = 0;
  /** Σ (value − mean)² */
  private squares = 0;

  add(values: Iterable<number>): void {
    let count = 0;
    let sum = 0;
    for (const value of values) {
      if (Number.isNaN(value)) this.nan++;
      else if (!Number.isFinite(value)) this.infinite++;
      else {
        if (value === 0) this.zeros++;
        if (value < this.min) this.min = value;
        if (value > this.max) this.max = value;
        count++;
        sum += value;
      }
    }
    if (count === 0) return;
    const mean = sum / count;
    let squares = 0;
    for (const value of values) if (Number.isFinite(value)) squares += (value - mean) ** 2;
    const total = this.count + count;
    const shift = mean - this.mean;
    this.squares += squares + (shift * shift * this.count * count) / total;
    this.mean += (shift * count) / total;
    this.count = total;
  }

  summary(): Omit<TensorStatistics, 'elements' | 'histogram'> {
    const { zeros, nan, infinite, count } = this;
    const known = <T>(value: T): T | null => (count > 0 ? value : null);
    return {
      min: known(this.min),
      max: known(this.max),
      mean: known(this.mean),
      standardDeviation: known(Math.sqrt(this.squares / count)),
      zeros,
      nan,
      infinite,
    };
  }
}
