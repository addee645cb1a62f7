/** Shape rules of the ops: known extents, named ones, and shapes that don't fit. */
import assert from 'node:assert/strict';
import { Graph, type Dim, type Value } from '../../../src/engine/onnx/graph';
import { add } from '../../../src/engine/onnx/ops/elementwise';
import { linear, matmul } from '../../../src/engine/onnx/ops/linear';
import { logSumExpLast, pickLast } from '../../../src/engine/onnx/ops/loss';
import { meanLast, reduceSum, reduceTo } from '../../../src/engine/onnx/ops/reduce';
import { broadcastShape, cast, concat, lastRow, reshape, split, transpose } from '../../../src/engine/onnx/ops/shapes';

const g = new Graph();
let inputs = 0;
const value = (...shape: Dim[]): Value => g.input(`x${inputs++}`, 'float32', shape);

describe('onnx/ops shape rules', () => {
  it('broadcast as numpy does', () => {
    assert.deepEqual(broadcastShape(['tokens', 4], [4]), ['tokens', 4]);
    assert.deepEqual(broadcastShape([3, 1, 5], ['n', 5]), [3, 'n', 5]);
    assert.deepEqual(broadcastShape([], [2]), [2]);
    assert.throws(() => broadcastShape([3], [4]), /\(3\) and \(4\) do not broadcast/);
    assert.throws(() => broadcastShape(['rows'], ['length']), /do not broadcast/);
    assert.deepEqual(add(g, value('tokens', 1), value(4)).shape, ['tokens', 4]);
  });

  it('products', () => {
    assert.deepEqual(linear(g, value('tokens', 3), value(5, 3), value(5)).shape, ['tokens', 5]);
    assert.deepEqual(matmul(g, value('rows', 2, 'n', 3), value('rows', 2, 3, 4)).shape, ['rows', 2, 'n', 4]);
  });

  it('folds', () => {
    const x = value('tokens', 3, 4);
    assert.deepEqual(reduceSum(g, x, [0]).shape, [3, 4]);
    assert.deepEqual(reduceSum(g, x, [1], true).shape, ['tokens', 1, 4]);
    assert.deepEqual(meanLast(g, x).shape, ['tokens', 3, 1]);
    assert.deepEqual(logSumExpLast(g, value('tokens', 9)).shape, ['tokens']);
    assert.deepEqual(pickLast(g, value('tokens', 9), g.input('index', 'int64', ['tokens'])).shape, ['tokens']);
  });

  it('undoing a broadcast, or nothing', () => {
    const x = value('tokens', 4);
    assert.equal(reduceTo(g, x, ['tokens', 4]), x);
    assert.deepEqual(reduceTo(g, x, [4]).shape, [4]);
    assert.deepEqual(reduceTo(g, x, ['tokens', 1]).shape, ['tokens', 1]);
    assert.deepEqual(reduceTo(g, x, []).shape, []);
  });

  it('moves', () => {
    const x = value('rows', 'length', 6);
    assert.deepEqual(reshape(g, x, ['rows', 'length', 2, 3]).shape, ['rows', 'length', 2, 3]);
    assert.deepEqual(transpose(g, x, [2, 0, 1]).shape, [6, 'rows', 'length']);
    const [a, b] = split(g, x, 2, [4, 2]);
    assert.deepEqual(
      [a.shape, b.shape],
      [
        ['rows', 'length', 4],
        ['rows', 'length', 2],
      ],
    );
    assert.deepEqual(split(g, x, 2, [6]), [x]);
    assert.deepEqual(concat(g, [a, b], 2).shape, ['rows', 'length', 6]);
    assert.deepEqual(concat(g, [value(2, 3), value(5, 3)], 0).shape, [7, 3]);
    assert.equal(concat(g, [a], 2), a);
    assert.deepEqual(lastRow(g, value('tokens', 3)).shape, [1, 3]);
  });

  it('element types', () => {
    const half = g.external('half', 'bfloat16', [2], { file: 'f', offset: 0, bytes: 4 });
    assert.equal(cast(g, half, 'float32').type, 'float32');
    assert.equal(cast(g, half, 'bfloat16'), half);
  });
});
