/**
 * The embedding: a table of which a text needs a few rows. They are read straight from the file, so that a vocabulary of
 * any size costs no memory.
 */
import { outerWeights } from '../checkpoint/weight-names';
import type { Architecture } from '../checkpoint/architecture';
import type { Checkpoint } from '../checkpoint/types';
import type { StoredTensor } from '../formats/stored-tensor';
import { UserError } from '../errors';
import { RegularFile } from '../files/regular-file';
import { widen } from '../formats/widen';
import { tensorOf } from './graph-weights';

export class Embedding {
  private constructor(
    private readonly file: RegularFile,
    private readonly tensor: StoredTensor,
    readonly hidden: number,
  ) {}

  static async open(checkpoint: Checkpoint, architecture: Architecture): Promise<Embedding> {
    const tensor = tensorOf(checkpoint, outerWeights(architecture).embed);
    return new Embedding(await RegularFile.open(tensor.file), tensor, architecture.hidden);
  }

  /**
   * The rows of the given tokens, (ids.length, hidden).
   * @throws UserError for an id beyond the vocabulary, or when the file cannot be read
   */
  async lookUp(
    ids: readonly number[],
    into: Float32Array = new Float32Array(ids.length * this.hidden),
  ): Promise<Float32Array> {
    const [vocabulary] = this.tensor.shape;
    const rowBytes = this.tensor.bytes / vocabulary;
    const row = Buffer.alloc(rowBytes);
    const positions = new Map<number, number[]>();
    ids.forEach((id, position) => {
      const same = positions.get(id);
      if (same) same.push(position);
      else positions.set(id, [position]);
    });
    for (const [id, places] of positions) {
      if (!Number.isInteger(id) || id < 0 || id >= vocabulary) {
        throw new UserError(
          `Token id ${id} cannot be embedded`,
          `the model's vocabulary has ${vocabulary} tokens`,
          'Use the tokenizer that belongs to this checkpoint, or ids below that number.',
        );
      }
      await this.file.readInto(row, this.tensor.offset + id * rowBytes);
      const first = into.subarray(places[0] * this.hidden, (places[0] + 1) * this.hidden);
      widen(row, this.tensor.dtype, first);
      for (const place of places.slice(1)) into.set(first, place * this.hidden);
    }
    return into;
  }

  close(): Promise<void> {
    return this.file.close();
  }
}
