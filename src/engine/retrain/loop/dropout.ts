/**
 * Dropout masks of LoRA's inputs (Hu et al. 2021): each element is 0 with probability p, else 1 / (1 − p).
 *
 * Millions of draws per step would cost more than the products they mask. So a mask row is a stretch of one long random
 * sequence, starting at a hash of seed, step, row, block and site. It does not depend on how a batch is split or on
 * earlier runs, so a resumed run continues with the same masks.
 */
import { Random } from '../../random';

/** Length of the sequence: a prime, so that strides do not repeat in phase with it. */
const LENGTH = 4_194_301;

export interface MaskPlace {
  readonly step: number;
  /** Index of the row within its batch. */
  readonly row: number;
  readonly block: number;
  readonly site: number;
}

export class DropoutMasks {
  private readonly sequence: Float32Array;

  constructor(
    readonly rate: number,
    private readonly seed: number,
  ) {
    const random = new Random(seed);
    const kept = 1 / (1 - rate);
    this.sequence = new Float32Array(LENGTH);
    // A loop, because `Float32Array.from` takes four times as long.
    for (let i = 0; i < LENGTH; i++) this.sequence[i] = random.uniform() < rate ? 0 : kept;
  }

  /** Fills `into` with the mask of one row at one site. */
  fill(into: Float32Array, { step, row, block, site }: MaskPlace): void {
    let at = hash([this.seed, step, row, block, site]) % LENGTH;
    for (let done = 0; done < into.length;) {
      const piece = this.sequence.subarray(at, at + into.length - done);
      into.set(piece, done);
      done += piece.length;
      at = 0;
    }
  }
}

/** 32 well-mixed bits of some integers: the finaliser of MurmurHash3, chained. */
function hash(values: readonly number[]): number {
  let h = 0x9e3779b9;
  for (const value of values) {
    h = Math.imul(h ^ value, 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h ^= h >>> 16;
  }
  return h >>> 0;
}
