/** Differentiating a graph: what is appended, what is left alone, what is refused. (The numbers: test/engine/gradients-*.) */
import assert from 'node:assert/strict';
import { Graph, type Value } from '../../../src/engine/onnx/graph';
import { gradients } from '../../../src/engine/onnx/gradient';
import { abs, add, mul, neg } from '../../../src/engine/onnx/ops/elementwise';
import { linear } from '../../../src/engine/onnx/ops/linear';
import { split } from '../../../src/engine/onnx/ops/shapes';

const input = (g: Graph, name: string, width = 4): Value => g.input(name, 'float32', ['tokens', width]);

describe('onnx/gradient', () => {
  it('gives every wanted value a gradient of its type and shape', () => {
    const g = new Graph();
    const [x, w, b] = [input(g, 'x'), g.input('w', 'float32', [3, 4]), g.input('b', 'float32', [3])];
    const y = linear(g, x, w, b);
    const found = gradients(g, new Map([[y, input(g, 'dy', 3)]]), [b, x, w]);
    assert.deepEqual(
      found.map(({ type, shape }) => ({ type, shape })),
      [b, x, w].map(({ type, shape }) => ({ type, shape })),
    );
  });

  it('of the seeded value itself is the seed', () => {
    const g = new Graph();
    const x = input(g, 'x');
    const seed = input(g, 'seed');
    assert.deepEqual(gradients(g, new Map([[x, seed]]), [x]), [seed]);
  });

  it('appends nothing for what nobody wants', () => {
    const g = new Graph();
    const [x, frozen] = [input(g, 'x'), g.input('w', 'float32', [4, 4])];
    const y = linear(g, x, frozen);
    const seeds = new Map([[y, input(g, 'dy')]]);
    const productOfWeights = (): boolean => new TextDecoder('latin1').decode(g.serialize().bytes).includes('transA');
    gradients(g, seeds, [x]);
    assert.equal(productOfWeights(), false); // dW = dyᵀ x
    gradients(g, seeds, [frozen]);
    assert.equal(productOfWeights(), true);
  });

  it('leaves the tape as it was, so that another gradient can be taken', () => {
    const g = new Graph();
    const x = input(g, 'x');
    const y = mul(g, x, neg(g, x));
    const { length } = g.tape;
    gradients(g, new Map([[y, input(g, 'dy')]]), [x]);
    assert.equal(g.tape.length, length);
    gradients(g, new Map([[y, input(g, 'other')]]), [x]);
  });

  it('adds up where a value takes part several times, and starts from several seeds', () => {
    const g = new Graph();
    const x = input(g, 'x');
    const [a, b] = split(g, add(g, x, x), 1, [1, 3]);
    const seeds = new Map([
      [a, input(g, 'da', 1)],
      [b, input(g, 'db', 3)],
    ]);
    const [dx] = gradients(g, seeds, [x]);
    assert.deepEqual(dx.shape, x.shape);
  });

  it('is refused where the loss does not depend on a value, or only through an op without a rule', () => {
    const g = new Graph();
    const [x, other] = [input(g, 'x'), input(g, 'other')];
    const y = neg(g, x);
    assert.throws(() => gradients(g, new Map([[y, input(g, 'dy')]]), [other]), /does not depend on other/);
    const z = abs(g, x);
    assert.throws(() => gradients(g, new Map([[z, input(g, 'dz')]]), [x]), /does not depend on x/);
  });
});
