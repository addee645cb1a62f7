/** Weights as numbers: all in float32, or matrices in float16. */
import type { WeightKey } from '../../checkpoint/weight-key';
import { UserError } from '../../errors';
import { narrow, OVERFLOW } from '../../formats/narrow';
import type { Value } from '../../onnx/graph';
import { ELEMENT_BYTES } from '../../onnx/model-file';
import { add } from '../../onnx/ops/elementwise';
import { linear } from '../../onnx/ops/linear';
import { cast, takeRows } from '../../onnx/ops/shapes';
import { rowWidth } from '../../weights/source';
import { bytesOf, type Constants, type ModelWeights, type Table } from './constants';

/** The least number that float16 rounds to infinity. */
export const HALF_END = OVERFLOW.F16;

/**
 * Matrices in one type, which products are computed in. Norms, biases and the stream between products are float32, so that
 * numbers which half precision cannot hold do not become infinite on the way.
 */
export class FloatWeights implements ModelWeights {
  /** What products in float16 take and give, in the type before they take it and after they gave it. */
  readonly narrowed: Value[] = [];
  private readonly bound = new Map<string, Value>();

  constructor(
    private readonly constants: Constants,
    private readonly type: 'float32' | 'float16',
  ) {}

  vector(key: WeightKey): Value {
    return this.constants.vector(key);
  }

  tables(table: Table, names: readonly string[]): Value[] {
    return this.constants.tables(table, names);
  }

  embed(ids: Value): Value {
    const { g } = this.constants;
    return cast(g, takeRows(g, this.matrix('embed'), ids), 'float32');
  }

  apply(x: Value, key: WeightKey, bias?: Value): Value {
    const { g } = this.constants;
    if (this.type === 'float32') return linear(g, x, this.matrix(key), bias);
    const y = cast(g, linear(g, cast(g, x, this.type), this.matrix(key)), 'float32');
    this.narrowed.push(x, y);
    return bias ? add(g, y, bias) : y;
  }

  private matrix(key: WeightKey): Value {
    const { constants, type } = this;
    return constants.once(key, this.bound, (own) => {
      const shape = constants.shape(own);
      const [place] = constants.place(own, [ELEMENT_BYTES[type] * rowWidth(shape)], async (rows) => {
        const numbers = await constants.read(own, rows);
        return [type === 'float32' ? bytesOf(numbers) : halves(constants.nameOf(own), numbers)];
      });
      return constants.g.beside(constants.nameOf(own), type, shape, place);
    });
  }
}

/** The numbers in float16. @throws UserError for one that it cannot hold */
function halves(name: string, numbers: Float32Array): Uint8Array {
  for (const number of numbers) {
    if (Math.abs(number) < HALF_END) continue;
    throw new UserError(
      `${name} does not fit into float16`,
      `it has the number ${number.toPrecision(6)}, and float16 ends at 65504`,
      'Choose fp32.',
    );
  }
  return narrow(numbers, 'F16', new Uint8Array(2 * numbers.length));
}
