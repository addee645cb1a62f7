/**
 * The integers of a weight, made in this process. onnxruntime can make them as well, when it folds the constants of a graph. For small
 * matrices that takes as long, for those of LLaMA-7B's shapes half as long again, and a copy for each step.
 */
import type { WeightKey } from '../checkpoint/weight-key';
import type { Rows } from '../formats/tensor';
import { SMALLEST_SCALE, type WeightLevels } from '../onnx/ops/quantised';
import { spreadRows } from '../onnx/ops/spread';
import type { WeightSource } from './source';

/** A weight whose inputs are spread (`spread`), rounded for each output. */
export interface RowIntegers {
  /** (in, out) */
  readonly values: Int8Array<ArrayBuffer>;
  /** (out) */
  readonly scales: Float32Array<ArrayBuffer>;
}

/** Numbers that are read at a time. */
const PIECE = 2 ** 22;
/** Rows whose integers are written at a time, so that a line of memory is filled at once. */
const TOGETHER = 16;
/** Added and subtracted again, it rounds to the nearest integer, halves to even ones: numbers so large have no fractions. */
const ROUND = 1.5 * 2 ** 52;

/**
 * Reads and rounds a Linear's weight, or some rows of it. A row with an infinity has an infinite scale; NaN becomes 0.
 * @param rows all when undefined
 * @throws UserError when a file cannot be read
 */
export async function rowIntegers(
  source: WeightSource,
  key: WeightKey,
  levels: WeightLevels,
  rows?: Rows,
): Promise<RowIntegers> {
  const [all, width] = source.shape(key);
  const { start, count } = rows ?? { start: 0, count: all };
  const result = { values: new Int8Array(width * count), scales: new Float32Array(count) };
  const atATime = TOGETHER * Math.max(1, Math.floor(PIECE / (TOGETHER * width)));
  for (let done = 0; done < count; done += atATime) {
    const some = Math.min(atATime, count - done);
    const numbers = await source.read(key, { start: start + done, count: some });
    spreadRows(numbers, width);
    roundRows(numbers, width, levels, result, done);
  }
  return result;
}

/** Rounds whole rows into the columns from `first` on. */
function roundRows(
  numbers: Float32Array,
  width: number,
  levels: WeightLevels,
  { values, scales }: RowIntegers,
  first: number,
): void {
  const outputs = scales.length;
  const rows = numbers.length / width;
  const rounded = new Int8Array(TOGETHER * width);
  for (let row = 0; row < rows; row += TOGETHER) {
    const some = Math.min(TOGETHER, rows - row);
    for (let r = 0; r < some; r++) {
      const at = (row + r) * width;
      let most = SMALLEST_SCALE;
      for (let i = at; i < at + width; i++) {
        const size = Math.abs(numbers[i]);
        if (size > most) most = size;
      }
      const scale = Math.fround(most / levels);
      scales[first + row + r] = scale;
      const inverse = 1 / scale;
      for (let i = 0; i < width; i++) rounded[r * width + i] = numbers[at + i] * inverse + ROUND - ROUND;
    }
    for (let i = 0; i < width; i++) {
      const to = i * outputs + first + row;
      for (let r = 0; r < some; r++) values[to + r] = rounded[r * width + i];
    }
  }
}
