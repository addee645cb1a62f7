/**
 * Weights in blocks: some neighbouring numbers of a row share a scale and a zero point. Matrices of blocks have the bits of the
 * kind. Embedding and head have 8 bits in every kind: their errors cost the most, and a tied pair shares its integers.
 */
import type { WeightKey } from '../../checkpoint/weight-key';
import { UserError } from '../../errors';
import type { Rows } from '../../formats/tensor';
import type { Value } from '../../onnx/graph';
import {
  BLOCK,
  type BlockBits,
  blockLinear,
  type BlockMatrix,
  blocksOf,
  columnsWithOffsets,
  takeBlockRows,
  withBlockSums,
  zeroBytesOf,
} from '../../onnx/ops/blocks';
import { quantizeWithOffsets } from '../../weights/blocks/offsets';
import type { QuantizedRows } from '../../weights/blocks/quantize';
import { rowWidth } from '../../weights/source';
import { bytesOf, type Constants, type ModelWeights, type Table } from './constants';
import { exactOrRounded } from './exact-blocks';

/** Bits of embedding and head. */
const OUTER_BITS: BlockBits = 8;

export interface BlockOptions {
  /** Of the Linears of blocks. */
  readonly bits: BlockBits;
  /**
   * The operator's `accuracy_level`: 4 rounds inputs to 8 bits, 0 leaves them float32. With 8 bits onnxruntime's CPU has no
   * kernel for 0: it widens the whole weight in every run.
   */
  readonly accuracy: 0 | 4;
  /** Whether blocks of 4 bits have offsets: weights that lie on a grid are kept as they are (weights/blocks/offsets.ts). */
  readonly hasOffsets?: boolean;
}

export class BlockWeights implements ModelWeights {
  private readonly bound = new Map<string, BlockMatrix>();

  constructor(
    private readonly constants: Constants,
    private readonly options: BlockOptions,
  ) {}

  vector(key: WeightKey): Value {
    return this.constants.vector(key);
  }

  tables(table: Table, names: readonly string[]): Value[] {
    return this.constants.tables(table, names);
  }

  embed(ids: Value): Value {
    return takeBlockRows(this.constants.g, this.matrix('embed'), ids);
  }

  apply(x: Value, key: WeightKey, bias?: Value): Value {
    const { g } = this.constants;
    const matrix = this.matrix(key);
    const input =
      matrix.columns > Number(x.shape[1]) ? g.once(`block sums of ${x.name}`, () => withBlockSums(g, x)) : x;
    return blockLinear(g, input, matrix, bias, this.options.accuracy);
  }

  private matrix(key: WeightKey): BlockMatrix {
    const { constants } = this;
    return constants.once(key, this.bound, (own) => {
      const { g } = constants;
      const shape = constants.shape(own);
      const [out, width] = [shape[0], rowWidth(shape)];
      const isOuter = typeof own === 'string';
      const bits = isOuter ? OUTER_BITS : this.options.bits;
      const columns = this.options.hasOffsets && !isOuter ? columnsWithOffsets(width) : width;
      const blocks = blocksOf(columns);
      const widths = [(blocks * BLOCK * bits) / 8, 4 * blocks, zeroBytesOf(columns, bits)];
      const places = constants.place(own, widths, async (rows) => {
        const { values, scales, zeros } = await this.rounded(own, rows, { width, columns, bits });
        return [values, scales, zeros].map(bytesOf);
      });
      const name = constants.nameOf(own);
      return {
        bits,
        columns,
        values: g.beside(`${name}_q${bits}`, 'uint8', [out, blocks, (BLOCK * bits) / 8], places[0]),
        scales: g.beside(`${name}_scales`, 'float32', [out, blocks], places[1]),
        zeros: g.beside(`${name}_zero_points`, 'uint8', [out, zeroBytesOf(columns, bits)], places[2]),
      };
    });
  }

  private async rounded(
    key: WeightKey,
    rows: Rows,
    { width, columns, bits }: { readonly width: number; readonly columns: number; readonly bits: BlockBits },
  ): Promise<QuantizedRows> {
    const numbers = await this.constants.read(key, rows);
    const odd = numbers.find((number) => !Number.isFinite(number));
    if (odd === undefined) {
      return columns > width ? quantizeWithOffsets(numbers, width) : exactOrRounded(numbers, width, bits);
    }
    throw new UserError(
      `${this.constants.nameOf(key)} cannot be rounded`,
      `it has the number ${odd}`,
      'Use a checkpoint whose numbers are finite.',
    );
  }
}
