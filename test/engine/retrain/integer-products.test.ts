/**
 * Frozen products of retraining in 8-bit integers: their gradient against its definition in float64 and against the exact
 * one, and the gradients of a model against those of float32.
 */
import assert from 'node:assert/strict';
import { Graph } from '../../../src/engine/onnx/graph';
import { gradients } from '../../../src/engine/onnx/gradient';
import { integerArithmetic } from '../../../src/engine/onnx/integer-trial';
import { frozenProducts, type WeightLevels } from '../../../src/engine/onnx/ops/quantized';
import { float32, floats, openSession } from '../../../src/engine/onnx/session';
import { adaptableNames } from '../../../src/engine/checkpoint/architecture';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import type { Model } from '../../../src/engine/model/model';
import { integerWeights } from '../../../src/engine/retrain/integer-weights';
import { differences } from '../../../src/engine/retrain/run-facts';
import { RowInt8 } from '../../../src/engine/weights/row-int8';
import { assertClose, assertGradientClose } from '../../support/close';
import { checkpointFolder } from '../../support/golden';
import { describedModel, withModelOf } from '../../support/model';
import { normal, randomRows } from '../../support/random';
import { describeShared, itFull } from '../../support/shared';
import { tinyCheckpoint } from '../../support/tiny-models';
import { loraSetup, textBatch, withBackprop } from '../../support/training';

const [TOKENS, INPUTS, OUTPUTS] = [5, 75, [33, 20]] as const;
/** Of gradients, relative in L2: each of the roundings is off by 0.4 % of the largest number of its row at most. */
const ROUNDING = 0.03;

/** Rows of normal numbers, each with a size of its own. */
function matrix(rows: number, columns: number, seed: number): Float32Array {
  const next = normal(seed);
  return Float32Array.from({ length: rows * columns }, (_, at) => next() * 4 ** (Math.floor(at / columns) % 3));
}

describe('frozen products in 8-bit integers', function () {
  let levels: WeightLevels;

  before(async function () {
    const found = (await integerArithmetic()).levels;
    if (!found) this.skip();
    levels = found;
  });

  it('have the gradient dy W, with dy rounded for each token and W for each input', async () => {
    const weights = OUTPUTS.map((outputs, i) => matrix(outputs, INPUTS, 5 + i));
    const seeds = OUTPUTS.map((outputs, i) => matrix(TOKENS, outputs, 15 + i));
    const g = new Graph();
    const x = g.input('x', 'float32', ['tokens', INPUTS]);
    const linears = weights.map((w, i) => ({ weight: g.floats(w, [OUTPUTS[i], INPUTS]) }));
    const products = frozenProducts(g, x, linears, levels);
    const given = products.map((y, i) => [y, g.input(`d${i}`, 'float32', y.shape)] as const);
    g.output('dx', gradients(g, new Map(given), [x])[0]);
    const session = await openSession(g.serialize(), { provider: 'cpu', prepack: true });
    try {
      const feeds = seeds.map((d, i) => [`d${i}`, float32(d, [TOKENS, OUTPUTS[i]])] as const);
      const { dx } = await session.run({
        x: float32(matrix(TOKENS, INPUTS, 3), [TOKENS, INPUTS]),
        ...Object.fromEntries(feeds),
      });
      const definition = new Float64Array(TOKENS * INPUTS);
      const exact = new Float64Array(TOKENS * INPUTS);
      weights.forEach((w, i) => {
        const byInput = transposed(rounded(transposed(w, INPUTS), OUTPUTS[i], levels), OUTPUTS[i]);
        addProduct(definition, rounded(seeds[i], OUTPUTS[i], 127), byInput, OUTPUTS[i]);
        addProduct(exact, seeds[i], w, OUTPUTS[i]);
      });
      assertGradientClose(floats(dx), definition, 1e-5, 'dx as defined');
      assertGradientClose(floats(dx), exact, ROUNDING, 'dx of exact products');
    } finally {
      await session.close();
    }
  });

  describe('in a model', () => {
    const model = describedModel(() => tinyCheckpoint('llama-bias'));
    it('train towards what float32 trains towards', () => checkGradients(model(), levels));
  });

  describeShared('in a model with fused Linears', () => {
    const model = describedModel(() => checkpointFolder('families2/phi3-partial'));
    // Its blocks have large gains, which magnify rounding.
    it('train towards what float32 trains towards', () => checkGradients(model(), levels, 0.2));
  });

  describeShared('in a model with short convolutions', () => {
    const model = describedModel(() => checkpointFolder('families3/lfm2-conv'));
    itFull('train towards what float32 trains towards', () => checkGradients(model(), levels, 0.2));
  });

  describeShared('in models with experts, Mamba or delta nets', () => {
    it('are refused: gradients were far from those of float32', async () => {
      for (const [toy, what] of [
        ['qwen3moe-norm', /experts/],
        ['falconh1-parallel', /Mamba/],
        ['qwen35-text', /delta net/],
      ] as const) {
        const checkpoint = await openCheckpoint(checkpointFolder(`families3/${toy}`));
        await withModelOf(checkpoint, async (model) => {
          await assert.rejects(integerWeights(model), { name: 'UserError', message: what });
        });
      }
    });
  });

  it('are part of what a run is, and those before there was a choice were float32', () => {
    assert.deepEqual(differences({ rank: 8 }, { rank: 8, precision: 'float32' }), []);
    assert.deepEqual(differences({ rank: 8 }, { rank: 8, precision: 'int8' }), [
      'precision (float32 there, int8 here)',
    ]);
  });
});

/** Gradients of adapters on rounded Linears against those on exact ones. */
async function checkGradients(model: Model, levels: WeightLevels, tolerance = 0.1): Promise<void> {
  const batch = textBatch([24, 9, 17].flatMap((length, i) => randomRows(1, length, 288, 91 + i)));
  const targets = adaptableNames(model.architecture);
  const found = [undefined, new RowInt8(model.weights, levels)].map((frozen) => loraSetup(model, { frozen, targets }));
  const [exact, integer] = await Promise.all(
    found.map(({ trainable }) => withBackprop(model, trainable, {}, (backprop) => backprop.gradients(batch))),
  );
  assertClose(integer.loss, exact.loss, { relative: 0.01 }, 'loss');
  assert.notEqual(integer.loss, exact.loss);
  const all = [exact, integer].map((result) => [...result.gradients.values()].flatMap((sum) => [...sum]));
  assertGradientClose(Float32Array.from(all[1]), Float64Array.from(all[0]), tolerance, 'gradients');
}

/** Rows as integers times a scale, in the float32 steps of the engine. */
function rounded(values: Float32Array, width: number, most: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let at = 0; at < values.length; at += width) {
    const row = values.subarray(at, at + width);
    const scale = Math.fround(Math.max(...row.map(Math.abs)) * Math.fround(1 / most));
    row.forEach((value, i) => (result[at + i] = Math.round(Math.fround(value / scale)) * scale));
  }
  return result;
}

/** (rows, columns) → (columns, rows) */
function transposed(values: Float32Array, columns: number): Float32Array {
  const rows = values.length / columns;
  return Float32Array.from(values, (_, at) => values[(at % rows) * columns + Math.floor(at / rows)]);
}

/** sum += d W. d: (TOKENS, outputs), w: (outputs, INPUTS) */
function addProduct(sum: Float64Array, d: Float32Array, w: Float32Array, outputs: number): void {
  for (let at = 0; at < sum.length; at++) {
    const [token, input] = [Math.floor(at / INPUTS), at % INPUTS];
    for (let o = 0; o < outputs; o++) sum[at] += d[token * outputs + o] * w[o * INPUTS + input];
  }
}
