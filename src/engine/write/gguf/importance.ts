/** The importance of the columns of a written file's matrices, from an importance matrix whose blocks may be the original's. */
import { basename } from 'node:path';
import type { Architecture } from '../../checkpoint/architecture';
import { requirePlainBlocks } from '../../checkpoint/kinds/parts';
import { UserError } from '../../errors';
import { type ImportanceMatrix, importanceOf, USED_IMATRIX } from '../../formats/gguf/imatrix';
import type { GgufField } from '../../formats/gguf/layout';
import { text, u32 } from '../../formats/gguf/values';
import { option } from '../../option-token';

/** An importance matrix, and the name of its file. */
export interface NamedMatrix {
  readonly matrix: ImportanceMatrix;
  readonly file: string;
}

/** @throws UserError for a model with other blocks than those whose columns Coppice measures */
export function requireMeasured(architecture: Architecture): void {
  const action = `Give a file of llama-imatrix in place of ${option('imatrix', 'auto')}, or leave it out.`;
  requirePlainBlocks(architecture, 'The importance of the model’s columns cannot be measured', action);
}

/** For the matrices of one written file. */
export class Importance {
  /** Quantized matrices without one. */
  readonly without: string[] = [];
  private used = 0;

  /**
   * @param file its name, for messages and the metadata
   * @param nameOf the name in the importance matrix of a tensor of the file
   */
  private constructor(
    private readonly matrix: ImportanceMatrix,
    private readonly file: string,
    private readonly nameOf: (name: string) => string,
  ) {}

  /**
   * @param blocks of the original
   * @param kept those that are written, in this order
   * @throws UserError if the matrix is of another number of blocks than either
   */
  static of({ matrix, file }: NamedMatrix, blocks: number, kept: readonly number[]): Importance {
    const named = Math.max(0, ...[...matrix.entries.keys()].map((name) => 1 + Number(BLOCK.exec(name)?.[1] ?? -1)));
    if (named === kept.length) return new Importance(matrix, file, (name) => name);
    if (named === blocks) {
      return new Importance(matrix, file, (name) =>
        name.replace(BLOCK, (_, block: string) => `blk.${kept[Number(block)]}.`),
      );
    }
    const written = kept.length === blocks ? `${blocks}` : `${blocks}, and ${kept.length} of them are written`;
    throw new UserError(
      `${basename(file)} is of another model`,
      `it has ${named} blocks, and the model has ${written}`,
      'Give the importance matrix of this model, or "auto".',
    );
  }

  /**
   * Of the columns of a quantized matrix, or of one matrix of a stack after the other; undefined without one.
   * @throws UserError if it has another number of columns, or of matrices
   */
  columnsOf(name: string, columns: number, matrices = 1): Float32Array | undefined {
    const entry = this.matrix.entries.get(this.nameOf(name));
    if (!entry) {
      this.without.push(name);
      return undefined;
    }
    const { length } = entry.sums;
    const counted = entry.counts?.length;
    if (length !== columns * matrices || (counted !== undefined && counted !== matrices)) {
      const has = counted === undefined ? `${length} columns` : `${counted} experts of ${length / counted} columns`;
      throw new UserError(
        `${basename(this.file)} is of another model`,
        `${this.nameOf(name)} has ${has} in it, and ${matrices > 1 ? `${matrices} experts of ` : ''}${columns} in the model`,
        'Give the importance matrix of this model, or "auto".',
      );
    }
    this.used++;
    return importanceOf(entry);
  }

  /** Matrices that got one. */
  get matrices(): number {
    return this.used;
  }

  /** As llama.cpp's quantizer writes them. */
  fields(): GgufField[] {
    const { texts, rows, entries } = this.matrix;
    return [
      [USED_IMATRIX.file, text(basename(this.file))],
      ...texts.slice(0, 1).map((name): GgufField => [USED_IMATRIX.text, text(basename(name))]),
      [USED_IMATRIX.entries, u32(entries.size)],
      [USED_IMATRIX.rows, u32(rows)],
    ];
  }

  /** "1 matrix has no importance in imatrix.gguf: token_embd.weight" */
  notes(): string[] {
    const { without, file } = this;
    if (without.length === 0) return [];
    const few = without.slice(0, 3).join(', ') + (without.length > 3 ? ' …' : '');
    const have = without.length === 1 ? '1 matrix has' : `${without.length} matrices have`;
    return [
      `${have} no importance in ${basename(file)}, so ${without.length === 1 ? 'its columns count' : 'their columns count'} alike: ${few}`,
    ];
  }
}

const BLOCK = /^blk\.(\d+)\./;
