/** Weights rounded in this process, against the definition in float64, and against what a graph makes of them. */
import assert from 'node:assert/strict';
import { requireArchitecture } from '../../../src/engine/checkpoint/open';
import { Graph } from '../../../src/engine/onnx/graph';
import { quantizeWeight } from '../../../src/engine/onnx/ops/quantized';
import { spread, spreadRows } from '../../../src/engine/onnx/ops/spread';
import { floats, openSession, type Tensor } from '../../../src/engine/onnx/session';
import { MIXED, RowRounder } from '../../../src/engine/weights/row-integers';
import { withWeights } from '../../../src/engine/weights/checkpoint';
import { normal } from '../../support/random';
import { openToy } from '../../support/model';
import { tinyCheckpoint } from '../../support/tiny-models';

/** W H row by row, with the Hadamard matrix of the largest power of two up to `most` that divides the width, in float64. */
function spreadByDefinition(numbers: Float32Array, width: number, most: number): Float64Array {
  let size = most;
  while (width % size !== 0) size /= 2;
  const sign = (a: number, b: number): number => {
    const ones = (a & b).toString(2).replaceAll('0', '').length;
    return ones % 2 === 0 ? 1 : -1;
  };
  return Float64Array.from(numbers, (_, at) => {
    const start = at - (at % size);
    let sum = 0;
    for (let i = 0; i < size; i++) sum += numbers[start + i] * sign(i, at % size);
    return sum / Math.sqrt(size);
  });
}

describe('integers of rows', () => {
  for (const width of [64, 96, 40, 12, 7, 576]) {
    it(`spreads rows of ${width} as the definition does, and back`, () => {
      const numbers = Float32Array.from({ length: 5 * width }, normal(width));
      const turned = numbers.slice();
      spreadRows(turned, width);
      const expected = spreadByDefinition(numbers, width, 64);
      for (const [i, value] of turned.entries()) assert.ok(Math.abs(value - expected[i]) < 1e-5, `${i}`);
      spreadRows(turned, width);
      for (const [i, value] of turned.entries()) assert.ok(Math.abs(value - numbers[i]) < 1e-5, `${i} back`);
    });
  }

  for (const levels of [127, 63] as const) {
    it(`${levels} levels: the nearest integers of each row, as a graph has them`, async () => {
      const checkpoint = await openToy(tinyCheckpoint('ragged-bias', { config: { tie_word_embeddings: false } }));
      assert.ok(requireArchitecture(checkpoint).layers.length > 1);
      const rounder = new RowRounder(levels);
      await withWeights(checkpoint, async (weights) => {
        for (const [key, rows] of [
          [{ layer: 1, name: 'down' }, undefined],
          [{ layer: 0, name: 'q' }, undefined],
          ['head', { start: 5, count: 37 }],
        ] as const) {
          const [, width] = weights.shape(key);
          const values = new Int8Array((rows?.count ?? weights.shape(key)[0]) * width);
          const scales = await rounder.round(weights, key, values, rows);
          const expected = spreadByDefinition(await weights.read(key, rows), width, MIXED);
          for (const [row, scale] of scales.entries()) {
            const own = expected.subarray(row * width, (row + 1) * width);
            const most = own.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
            assert.ok(Math.abs(scale * levels - most) <= 1e-5 * most);
            own.forEach((value, i) => {
              const off = Math.abs(values[i * scales.length + row] - value / scale);
              assert.ok(off <= 0.5 + 1e-3, `row ${row}, ${i}: off by ${off}`);
            });
          }
          const g = new Graph();
          const inGraph = quantizeWeight(g, spread(g, weights.bind(g, key, rows), MIXED), levels);
          g.output('values', inGraph.values);
          g.output('scales', inGraph.scales);
          const session = await openSession(g.serialize(), { provider: 'cpu' });
          const result: Record<string, Tensor> = await session.run({});
          await session.close();
          const graphs = result.values.data as Int8Array;
          const differing = values.filter((value, i) => value !== graphs[i]).length;
          assert.ok(differing <= values.length / 500, `${differing} of ${values.length} differ`);
          for (const [i, scale] of floats(result.scales).entries()) {
            assert.ok(Math.abs(scale - scales[i]) <= 1e-6 * scale);
          }
        }
      });
      await rounder.close();
    });
  }
});
