/** Products of 8-bit integers, against their definition in float64. */
import assert from 'node:assert/strict';
import { Graph } from '../../../src/engine/onnx/graph';
import { integerArithmetic, tryLevels } from '../../../src/engine/onnx/integer-trial';
import { linear } from '../../../src/engine/onnx/ops/linear';
import {
  integerProduct,
  quantizeTokens,
  quantizeWeight,
  type WeightLevels,
} from '../../../src/engine/onnx/ops/quantized';
import { spread } from '../../../src/engine/onnx/ops/spread';
import { float32, floats, openSession } from '../../../src/engine/onnx/session';
import { assertAllClose } from '../../support/close';
import { normal } from '../../support/random';

const [TOKENS, INPUTS, OUTPUTS] = [7, 75, 33];

/** Numbers with an outlier in some rows. */
function matrix(rows: number, columns: number, seed: number): Float32Array {
  const next = normal(seed);
  return Float32Array.from({ length: rows * columns }, (_, at) => next() * (at % 61 === 5 ? 40 : 1));
}

/** x Wᵀ of turned matrices, in float32. */
async function turnedProduct(x: Float32Array, w: Float32Array, width: number): Promise<Float32Array> {
  const g = new Graph();
  const weight = spread(g, g.floats(w, [w.length / width, width]));
  g.output('y', linear(g, spread(g, g.input('x', 'float32', ['tokens', width])), weight));
  const session = await openSession(g.serialize(), { provider: 'cpu', prepack: true });
  try {
    const { y } = await session.run({ x: float32(x, [x.length / width, width]) });
    return Float32Array.from(floats(y));
  } finally {
    await session.close();
  }
}

async function product(
  x: Float32Array,
  w: Float32Array,
  levels: WeightLevels,
  bias?: Float32Array,
): Promise<Float32Array> {
  const g = new Graph();
  const rows = quantizeTokens(g, g.input('x', 'float32', ['tokens', INPUTS]));
  const weight = quantizeWeight(g, g.floats(w, [OUTPUTS, INPUTS]), levels);
  g.output('y', integerProduct(g, rows, weight, bias && g.floats(bias, [OUTPUTS])));
  const session = await openSession(g.serialize(), { provider: 'cpu', prepack: true });
  try {
    const { y } = await session.run({ x: float32(x, [x.length / INPUTS, INPUTS]) });
    return Float32Array.from(floats(y));
  } finally {
    await session.close();
  }
}

/** Rows as integers times a scale: nearest even, as ONNX rounds. */
function rounded(values: Float32Array, width: number, levels: number): Float64Array {
  const result = new Float64Array(values.length);
  for (let at = 0; at < values.length; at += width) {
    const row = values.subarray(at, at + width);
    // The scale is computed in float32.
    const scale = Math.fround(Math.max(...row.map(Math.abs)) * Math.fround(1 / levels));
    row.forEach((value, i) => (result[at + i] = scale === 0 ? 0 : nearestEven(Math.fround(value / scale)) * scale));
  }
  return result;
}

function nearestEven(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  return rest === 0.5 ? low + (low % 2 === 0 ? 0 : 1) : Math.round(value);
}

function reference(x: Float32Array, w: Float32Array, levels: WeightLevels, bias?: Float32Array): Float64Array {
  const [a, b] = [rounded(x, INPUTS, 127), rounded(w, INPUTS, levels)];
  const tokens = x.length / INPUTS;
  return Float64Array.from({ length: tokens * OUTPUTS }, (_, at) => {
    const [token, output] = [Math.floor(at / OUTPUTS), at % OUTPUTS];
    let sum = bias?.[output] ?? 0;
    for (let i = 0; i < INPUTS; i++) sum += a[token * INPUTS + i] * b[output * INPUTS + i];
    return sum;
  });
}

describe('products of 8-bit integers', () => {
  const x = matrix(TOKENS, INPUTS, 3);
  const w = matrix(OUTPUTS, INPUTS, 4);
  const bias = matrix(1, OUTPUTS, 5);

  for (const levels of [127, 63] as const) {
    it(`are those of the rounded rows, up to float32, with weights up to ${levels}`, async () => {
      const expected = reference(x, w, levels, bias);
      // Sums of integers are exact. Scales, products with them and the bias are rounded to float32.
      const absolute = 3e-7 * Math.max(...expected.map(Math.abs));
      assertAllClose(await product(x, w, levels, bias), expected, { absolute }, 'y');
    });
  }

  it('round for each row: an outlier costs no other row its digits', async () => {
    const exact = Float32Array.from(x);
    exact[0] = 1e6;
    const [before, after] = [await product(x, w, 127), await product(exact, w, 127)];
    assert.deepEqual(after.subarray(OUTPUTS), before.subarray(OUTPUTS));
  });

  it('of a row of zeros are zeros', async () => {
    assert.ok((await product(new Float32Array(INPUTS), w, 127)).every((value) => Math.abs(value) === 0));
  });

  for (const [name, value] of [
    ['infinity', Infinity],
    ['−infinity', -Infinity],
  ] as const) {
    it(`of a row with ${name} are not finite, and other rows are as before`, async () => {
      const broken = Float32Array.from(x);
      broken[INPUTS + 7] = value;
      const y = await product(broken, w, 127);
      assert.ok(y.subarray(OUTPUTS, 2 * OUTPUTS).every((each) => !Number.isFinite(each)));
      assert.deepEqual(y.subarray(2 * OUTPUTS), (await product(x, w, 127)).subarray(2 * OUTPUTS));
    });
  }
});

describe('a turn of rows', () => {
  // Mixed by 64, by 8, and not at all.
  for (const width of [192, 24, 75]) {
    it(`changes no product, with ${width} numbers in a row`, async () => {
      const [x, w] = [matrix(TOKENS, width, 6), matrix(OUTPUTS, width, 7)];
      const expected = Float64Array.from({ length: TOKENS * OUTPUTS }, (_, at) => {
        const [token, output] = [Math.floor(at / OUTPUTS), at % OUTPUTS];
        let sum = 0;
        for (let i = 0; i < width; i++) sum += x[token * width + i] * w[output * width + i];
        return sum;
      });
      const absolute = 1e-6 * Math.max(...expected.map(Math.abs));
      assertAllClose(await turnedProduct(x, w, width), expected, { absolute }, 'y');
    });
  }

  it('spreads an outlier over its neighbours', async () => {
    const x = new Float32Array(128);
    x[70] = 8;
    const identity = Float32Array.from({ length: 128 * 128 }, (_, at) => (at % 129 === 0 ? 1 : 0));
    const g = new Graph();
    g.output('y', linear(g, spread(g, g.input('x', 'float32', ['tokens', 128])), g.floats(identity, [128, 128])));
    const session = await openSession(g.serialize(), { provider: 'cpu' });
    try {
      const { y } = await session.run({ x: float32(x, [1, 128]) });
      // ±8 / √64 in the 64 places of its piece, 0 in the other one.
      assert.deepEqual(
        [...floats(y)].map(Math.abs),
        [...x].map((_, i) => (i < 64 ? 0 : 1)),
      );
    } finally {
      await session.close();
    }
  });
});

describe('the trial of integer products', () => {
  it('finds products with 8 or 7 bits right on this processor', async () => {
    const { levels, why } = await integerArithmetic();
    assert.ok(levels === 127 || levels === 63);
    assert.match(why, levels === 127 ? /8 bits$/ : /7 bits/);
  });

  it('takes 7 bits where 8 saturate, and none where 7 are wrong too', async () => {
    const seven = await tryLevels((levels) => Promise.resolve(levels === 63));
    assert.equal(seven.levels, 63);
    const none = await tryLevels(() => Promise.resolve(false));
    assert.equal(none.levels, undefined);
    assert.match(none.why, /wrong/);
  });
});
