/**
 * The gradient of a whole model's loss, for every family and feature: embedding, blocks, final norm and head (tied or
 * not), in micro-batches with padding, against the float64 loss moved along random directions.
 */
import assert from 'node:assert/strict';
import { blockWeights } from '../../../src/engine/checkpoint/weight-names';
import { DropoutMasks } from '../../../src/engine/retrain/loop/dropout';
import { linearGroups } from '../../../src/engine/checkpoint/architecture';
import type { Model } from '../../../src/engine/model/model';
import {
  loadReference,
  type ReferenceAdapter,
  type ReferenceModel,
  type ReferenceTensor,
} from '../../reference/forward';
import { referenceTokenNlls } from '../../reference/measures';
import { assertClose } from '../../support/close';
import { directionalDerivative, dot } from '../../support/differences';
import { describedModel } from '../../support/model';
import { normal, randomRows } from '../../support/random';
import { itFull } from '../../support/shared';
import { fullSetup, loraSetup, textBatch, withBackprop, type TrainingSetup } from '../../support/training';
import { RAGGED_MODELS, shortConfig, smallRagged, TINY_MODELS, tinyCheckpoint } from '../../support/tiny-models';

const VOCABULARY = 48;
const ROWS = [10, 8, 5].flatMap((length, i) => randomRows(1, length, VOCABULARY, 81 + i));
const TOKENS_PER_RUN = 16; // two micro-batches, of a row and of two, both with padding

const TYPES = ['sliding_attention', 'full_attention'];

/** Mean loss over all targets. `modelOfRow` may differ from row to row, as dropout's masks do. */
function referenceMean(modelOfRow: (row: number) => ReferenceModel): number {
  const losses = ROWS.flatMap((ids, row) => referenceTokenNlls(modelOfRow(row), ids));
  return losses.reduce((a, b) => a + b, 0) / losses.length;
}

type Wide = ReferenceTensor & { readonly values: Float64Array };
const wide = ({ values, shape }: ReferenceTensor): Wide => ({ shape, values: Float64Array.from(values) });

/** Compares loss and gradients; `of` gives the float64 numbers that a parameter is in the reference. */
async function compare(
  model: Model,
  { trainable, parameters }: TrainingSetup,
  dropout: { masks: DropoutMasks; step: number } | undefined,
  of: (name: string) => Float64Array,
  loss: () => number,
): Promise<void> {
  const batch = textBatch(ROWS);
  const result = await withBackprop(model, trainable, { tokensPerRun: TOKENS_PER_RUN }, (backprop) =>
    backprop.gradients(batch, undefined, dropout),
  );
  assertClose(result.loss, loss(), { absolute: 1e-5 }, 'loss');
  assert.deepEqual([...result.gradients.keys()].sort(), [...parameters.keys()].sort());
  const next = normal(83);
  for (const [name, gradient] of result.gradients) {
    const random = Float64Array.from(gradient, next);
    // Partly along the gradient, so that the derivative is of its size.
    const norm = Math.sqrt(dot(gradient, gradient));
    const direction = random.map((r, i) => r / Math.sqrt(random.length) + gradient[i] / norm);
    const expected = directionalDerivative(loss, of(name), direction);
    assertClose(dot(gradient, direction), expected, { relative: 1e-4 }, name);
  }
}

describe('gradients of a whole model', () => {
  for (const [i, name] of [...TINY_MODELS, ...RAGGED_MODELS].entries()) {
    describe(name, () => {
      const config = {
        hidden_size: 16,
        intermediate_size: 20,
        num_hidden_layers: 2,
        head_dim: 4,
        vocab_size: VOCABULARY,
      };
      const upper = name === 'qwen2-mixed-windows' ? { max_window_layers: 1 } : {};
      const layers = name === 'qwen2-layer-types' ? { layer_types: TYPES } : {};
      const ragged =
        name === 'ragged-plain' || name === 'ragged-bias' ? { ...smallRagged(name), num_hidden_layers: 4 } : {};
      const own = { ...shortConfig(name, 4), ...upper, ...layers, ...ragged };
      const folder = tinyCheckpoint(name, { config: { ...config, ...own } });
      const model = describedModel(() => folder);
      const reference = loadReference(folder);

      // gradients-blocks.test.ts has the block of each; here are the models whose embedding, head or rotation differs.
      (i % 4 === 0 ? it : itFull)('every weight', async () => {
        const tensors = new Map([...reference.tensors].map(([key, tensor]) => [key, wide(tensor)]));
        const setup = await fullSetup(model());
        const loss = (): number => referenceMean(() => ({ ...reference, tensors }));
        await compare(model(), setup, undefined, (key) => tensors.get(key)!.values, loss);
      });

      // A family's own gradients are those of its weights, above, and of its blocks' adapters.
      const dropped = i % 6 === 0 ? it : itFull;
      dropped('adapters under dropout', async () => {
        const setup = loraSetup(model(), { dropout: true });
        const matrices = new Map([...setup.parameters].map(([key, matrix]) => [key, wide(matrix)]));
        const masks = new DropoutMasks(0.25, 5);
        const perRow = ROWS.map((ids, row) => adaptersOf(model(), matrices, masks, row, ids.length));
        const loss = (): number => referenceMean((row) => ({ ...reference, adapters: perRow[row] }));
        await compare(model(), setup, { masks, step: 3 }, (key) => matrices.get(key)!.values, loss);
      });
    });
  }
});

/** What `loraSetup` adds to each Linear in one row of step 3. */
function adaptersOf(
  { architecture }: Model,
  matrices: ReadonlyMap<string, ReferenceTensor>,
  masks: DropoutMasks,
  row: number,
  length: number,
): Map<string, ReferenceAdapter> {
  const adapters = new Map<string, ReferenceAdapter>();
  for (let block = 0; block < architecture.layers.length; block++) {
    const weights = blockWeights(architecture, block);
    for (const [site, group] of linearGroups(architecture.layers[block]).entries()) {
      const width = weights[group[0]]!.shape[1];
      const drawn = new Float32Array(length * width);
      masks.fill(drawn, { step: 3, row, block, site });
      const mask = Array.from({ length }, (_, t) => Float64Array.from(drawn.subarray(t * width, (t + 1) * width)));
      for (const name of group) {
        const [a, b] = ['A', 'B'].map((matrix) => matrices.get(`${block}.${name}.${matrix}`)!);
        adapters.set(weights[name]!.name.replace(/\.weight$/, ''), { a, b, factor: 2, mask });
      }
    }
  }
  return adapters;
}
