/** The causal convolution as decoding has it: over earlier inputs, which it hands on; and softplus of small steps. */
import { Graph } from '../../../src/engine/onnx/graph';
import { causalConvolution, lastInputs } from '../../../src/engine/onnx/ops/convolution';
import { softplus } from '../../../src/engine/onnx/ops/gates';
import { float32, floats, int64, openSession, type Session } from '../../../src/engine/onnx/session';
import { convolve } from '../../reference/recurrence';
import { assertAllClose } from '../../support/close';
import { normal } from '../../support/random';

const CHANNELS = 5;
const TOLERANCE = { absolute: 2e-6 };

function open(width: number): Promise<Session> {
  const g = new Graph();
  const x = g.input('x', 'float32', ['rows', 'length', CHANNELS]);
  const past = { inputs: g.input('past', 'float32', ['rows', width - 1, CHANNELS]), total: 'total' };
  const weight = g.input('weight', 'float32', [CHANNELS, 1, width]);
  g.output('y', causalConvolution(g, x, weight, undefined, past));
  const counts = g.input('counts', 'int64', ['rows', 1]);
  g.output('present', lastInputs(g, x, { width, past, counts }));
  return openSession(g.serialize(), { provider: 'cpu' });
}

describe('onnx/ops/convolution with a past', () => {
  for (const width of [2, 3, 4]) {
    it(`${width} tokens wide: pieces of a text give what the whole text gives`, async () => {
      const next = normal(3);
      const [rows, length] = [2, 12];
      const x = Float64Array.from({ length: rows * length * CHANNELS }, () => Math.fround(next()));
      const weight = Float64Array.from({ length: CHANNELS * width }, () => Math.fround(next()));
      const whole = convolve({ length, channels: CHANNELS }, x, weight);
      const piece = (from: Float64Array, start: number, count: number): Float32Array =>
        Float32Array.from({ length: rows * count * CHANNELS }, (_, at) => {
          const row = Math.floor(at / (count * CHANNELS));
          return from[(row * length + start) * CHANNELS + (at % (count * CHANNELS))];
        });
      const session = await open(width);
      let past = float32(new Float32Array(rows * (width - 1) * CHANNELS), [rows, width - 1, CHANNELS]);
      let start = 0;
      for (const count of [1, 1, 5, 1, 4]) {
        const { y, present } = await session.run({
          ...{ x: float32(piece(x, start, count), [rows, count, CHANNELS]), past },
          weight: float32(Float32Array.from(weight), [CHANNELS, 1, width]),
          counts: int64([count, count], [rows, 1]),
        });
        assertAllClose(floats(y), piece(whole, start, count), TOLERANCE, `tokens from ${start}`);
        past = present;
        start += count;
      }
      await session.close();
    });
  }
});

describe('onnx/ops/gates', () => {
  it('softplus has all digits of small steps, and does not overflow', async () => {
    const g = new Graph();
    g.output('y', softplus(g, g.input('x', 'float32', ['n'])));
    const session = await openSession(g.serialize(), { provider: 'cpu' });
    const x = Float32Array.of(-80, -20, -12, -7, -2, 0, 3, 20, 500);
    const { y } = await session.run({ x: float32(x, [x.length]) });
    const expected = Array.from(x, (v) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v))));
    assertAllClose(floats(y), expected, { relative: 1e-6 }, 'softplus');
    await session.close();
  });
});
