/**
 * The importance of the columns of a model's matrices, for quantizing: the sums of the squares of what each column is multiplied with,
 * while the model reads some rows. One pass, one block open at a time. llama.cpp's importance matrix has the same sums.
 */
import type { LayerShape, LinearName } from '../checkpoint/architecture';
import { ggufName } from '../checkpoint/gguf/names';
import { plainShape } from '../checkpoint/kinds/plain';
import { UserError } from '../errors';
import type { ColumnSums } from '../formats/gguf/imatrix';
import type { TokenRows } from '../model/forward';
import type { Model } from '../model/model';
import { type JobOptions, Work } from '../progress';
import { BlockStream, type Watched } from './width/block-stream';
import type { RowStatistics } from './width/row-statistics';

/** Σ x² of each channel over all tokens: float32 numbers of the forward pass, summed in float64. */
class SquareSums implements RowStatistics {
  readonly sums: Float64Array;

  constructor(private readonly channels: number) {
    this.sums = new Float64Array(channels);
  }

  add(x: Float32Array): void {
    const { sums, channels } = this;
    for (let at = 0; at < x.length; at += channels) {
      for (let c = 0; c < channels; c++) sums[c] += x[at + c] * x[at + c];
    }
  }
}

/** Linears that read the same input, the first one by the name by which it is watched. */
interface Input {
  readonly channels: number;
  readonly readers: readonly LinearName[];
}

/** The inputs of a block's Linears, in the order of the block. */
function inputsOf(layer: LayerShape, hidden: number): Input[] {
  const { heads, headDim, ffn, fused } = plainShape(layer);
  return [
    { channels: hidden, readers: fused ? ['qkv'] : ['q', 'k', 'v'] },
    { channels: heads * headDim, readers: ['o'] },
    { channels: hidden, readers: fused ? ['gateUp'] : ['gate', 'up'] },
    { channels: ffn, readers: ['down'] },
  ];
}

/**
 * Measures the matrices of some blocks; the embedding and the head have no sums, as in llama.cpp's files.
 * @param kept blocks through which the rows go, in this order
 * @param rows all of one length
 * @returns by the matrix's name in a GGUF file that has these blocks
 * @throws UserError if a number is not finite; CancelledError
 */
export async function columnSums(
  model: Model,
  kept: readonly number[],
  rows: TokenRows,
  job: JobOptions = {},
): Promise<Map<string, ColumnSums>> {
  const { layers, hidden } = model.architecture;
  const tokens = rows.length * rows[0].length;
  const work = new Work(job, rows.length * kept.length, 'row-blocks', 'reading the text for the importance of columns');
  const stream = await BlockStream.open(model, rows, work);
  const found = new Map<string, ColumnSums>();
  try {
    for (const [block, layer] of kept.entries()) {
      work.step(`block ${block + 1} of ${kept.length}`);
      const inputs = inputsOf(layers[layer], hidden);
      const watched = inputs.map(({ channels, readers }): Watched & { readonly statistics: SquareSums } => ({
        linear: readers[0],
        channels,
        statistics: new SquareSums(channels),
      }));
      await stream.watch(layer, watched, block + 1 < kept.length);
      for (const [i, { readers }] of inputs.entries()) {
        const sums = Float32Array.from(watched[i].statistics.sums);
        if (!sums.every(Number.isFinite)) throw notFinite(layer);
        for (const name of readers) found.set(ggufName({ layer, name }, {}, block), { sums, count: tokens });
      }
    }
  } finally {
    await stream.close();
  }
  return found;
}

const notFinite = (layer: number): UserError =>
  new UserError(
    `The importance of block ${layer} is not finite`,
    'the model gives infinities or NaN on these rows',
    'Check the model, or give another text.',
  );
