/**
 * The embedding. A text needs only a few rows of the table. They are read one by one, so the size of the vocabulary
 * costs no memory.
 */
import { UserError } from '../errors';
import type { WeightSource } from '../weights/source';

export class Embedding {
  private readonly vocabulary: number;
  private readonly hidden: number;
  private readonly scale: number;

  private constructor(private readonly weights: WeightSource) {
    [this.vocabulary, this.hidden] = weights.shape('embed');
    this.scale = Math.fround(weights.architecture.style.embedScale);
  }

  /** @throws UserError when the file cannot be read; thrown before work begins, not during it */
  static async open(weights: WeightSource): Promise<Embedding> {
    await weights.read('embed', { start: 0, count: 1 });
    return new Embedding(weights);
  }

  /**
   * The residual stream of the given tokens before the first block, (ids.length, hidden): rows of the table, times the
   * model's factor.
   * @throws UserError for an id beyond the vocabulary, or when the file cannot be read
   */
  async lookUp(
    ids: readonly number[],
    into: Float32Array = new Float32Array(ids.length * this.hidden),
  ): Promise<Float32Array> {
    const positions = new Map<number, number[]>();
    ids.forEach((id, position) => {
      const same = positions.get(id);
      if (same) same.push(position);
      else positions.set(id, [position]);
    });
    for (const [id, places] of positions) {
      if (!Number.isInteger(id) || id < 0 || id >= this.vocabulary) {
        throw new UserError(
          `Token id ${id} cannot be embedded`,
          `the model's vocabulary has ${this.vocabulary} tokens`,
          'Use the tokenizer that belongs to this checkpoint, or ids below that number.',
        );
      }
      const row = await this.weights.read('embed', { start: id, count: 1 });
      if (this.scale !== 1) row.forEach((value, i) => (row[i] = value * this.scale));
      for (const place of places) into.set(row, place * this.hidden);
    }
    return into;
  }
}
