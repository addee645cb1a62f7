/** Half precision as graphs. The CPU has no float16 products of its own, so numbers of a GPU are in test/webgpu. */
import assert from 'node:assert/strict';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import type { WeightKey } from '../../../src/engine/checkpoint/weight-key';
import { UserError } from '../../../src/engine/errors';
import { openModel, openModelOver } from '../../../src/engine/model/model';
import { requirePrecision } from '../../../src/engine/onnx/require-precision';
import { fedBinding, sourceBinding } from '../../../src/engine/model/binding';
import { Graph, type Value } from '../../../src/engine/onnx/graph';
import { type Feeds, float32, floats, openSession } from '../../../src/engine/onnx/session';
import { Half } from '../../../src/engine/weights/half';
import { Overlay } from '../../../src/engine/weights/overlay';
import type { KeyedPatch } from '../../../src/engine/weights/patches';
import { checkpointWeights } from '../../../src/engine/weights/checkpoint';
import type { WeightSource } from '../../../src/engine/weights/source';
import { fromFloat16, toFloat16 } from '../../support/half';
import { normal } from '../../support/random';
import { tinyCheckpoint, type TinyName } from '../../support/tiny-models';

const Q: WeightKey = { layer: 0, name: 'q' };

async function over<T>(
  name: TinyName,
  patches: (source: WeightSource) => readonly KeyedPatch[],
  use: (half: Half, source: WeightSource) => Promise<T>,
): Promise<T> {
  const source = checkpointWeights(await openCheckpoint(tinyCheckpoint(name)));
  const half = new Half(new Overlay(source, patches(source)));
  try {
    return await use(half, source);
  } finally {
    await half.close();
  }
}

/** The result "y" of a graph, on the CPU. */
async function run(build: (g: Graph) => Value, feeds: Feeds = {}): Promise<Float32Array> {
  const g = new Graph();
  g.output('y', build(g));
  const session = await openSession(g.serialize(), { provider: 'cpu' });
  try {
    return floats((await session.run(feeds)).y);
  } finally {
    await session.close();
  }
}

describe('half precision', () => {
  it('rounds weights to the nearest, ties to even', () =>
    over(
      'llama-plain',
      (source) => [[Q, { kind: 'replace', values: edges(source.shape(Q)[0] * source.shape(Q)[1]) }]],
      async (half) => {
        // Rows of the unit matrix pick the weights out. The bound weight itself is still that of the file.
        const [out, width] = half.shape(Q);
        const unit = new Float32Array(width * width);
        for (let i = 0; i < width; i++) unit[i * width + i] = 1;
        const g = new Graph();
        const x = g.input('x', 'float32', [width, width]);
        const [y] = half.apply(g, x, [{ key: Q }]);
        assert.deepEqual([y.type, y.shape], ['float32', [width, out]]);
        g.output('y', y);
        const session = await openSession(g.serialize(), { provider: 'cpu' });
        const picked = floats((await session.run({ x: float32(unit, [width, width]) })).y);
        await session.close();
        const values = await half.read(Q);
        for (let o = 0; o < out; o++) {
          for (let i = 0; i < width; i++) {
            const expected = fromFloat16(toFloat16(values[o * width + i]));
            assert.equal(picked[i * out + o], expected, `${values[o * width + i]}`);
          }
        }
        assert.deepEqual(await run((graph) => half.bind(graph, Q)), values);
      },
    ));

  it('feeds a device with float16 weights, and loads them as it binds them', () =>
    over(
      'qwen3-qknorm',
      () => [],
      async (half) => {
        const g = new Graph();
        const binding = fedBinding(g, half);
        const x = g.input('x', 'float32', ['tokens', half.architecture.hidden]);
        const [q, k] = binding.apply(x, [{ key: Q }, { key: { layer: 0, name: 'k' } }]);
        assert.deepEqual([q.type, k.type, binding.products], ['float32', 'float32', 'float16']);
        assert.equal(binding.weight({ layer: 0, name: 'inputNorm' }).type, 'float32');
        const loader = new Graph();
        assert.deepEqual(binding.fetch(loader), ['q', 'k', 'inputNorm']);
        const session = await openSession(loader.serialize(), { provider: 'cpu' });
        const loaded = await session.run({});
        assert.deepEqual(
          ['q', 'k', 'inputNorm'].map((name) => loaded[name].type),
          ['float16', 'float16', 'float32'],
        );
        await session.close();
      },
    ));

  it('leaves the thin products of an adapter in float32, and joins Linears of one source below it', () =>
    over(
      'llama-plain',
      (source) => {
        const [out, width] = source.shape(Q);
        const product = { rank: 2, a: randomFloats(2 * width, 1), b: randomFloats(out * 2, 2), factor: 1 };
        return (['q', 'k'] as const).map((name): KeyedPatch => [
          { layer: 0, name },
          { kind: 'add', product },
        ]);
      },
      (half) => {
        const [q, k] = (['q', 'k'] as const).map((name) => half.lowRank({ layer: 0, name })!);
        assert.equal(q.base, k.base);
        assert.equal(q.base.precision, 'float16');
        const g = new Graph();
        assert.equal(sourceBinding(g, half).products, 'float16');
        return Promise.resolve();
      },
    ));

  it('refuses a weight that float16 cannot hold, with its name, once a session needs it', () =>
    over(
      'llama-plain',
      (source) => {
        const values = new Float32Array(source.shape(Q)[0] * source.shape(Q)[1]).fill(65519); // rounds to 65504
        return [
          [Q, { kind: 'replace', values }],
          [
            { layer: 1, name: 'q' },
            { kind: 'replace', values: values.with(7, -65520) },
          ],
        ];
      },
      async (half) => {
        const apply = (layer: number): void => {
          const g = new Graph();
          half.apply(g, g.input('x', 'float32', ['tokens', half.architecture.hidden]), [{ key: { layer, name: 'q' } }]);
        };
        apply(0);
        await half.check();
        apply(1);
        await assert.rejects(half.check(), (error: unknown) => {
          assert.ok(error instanceof UserError);
          assert.match(error.what, /model\.layers\.1\.self_attn\.q_proj\.weight/);
          assert.match(error.why, /-65520/);
          return true;
        });
      },
    ));

  it('is refused on the CPU, and so is a precision that a job does not have', async () => {
    const checkpoint = await openCheckpoint(tinyCheckpoint('llama-plain'));
    await assert.rejects(openModel(checkpoint, { device: 'cpu', precision: 'float16' }), (error: unknown) => {
      assert.ok(error instanceof UserError);
      assert.match(error.action, /--precision float32.*--device webgpu/);
      return true;
    });
    const weights = checkpointWeights(checkpoint);
    const model = await openModelOver(weights, checkpoint, { device: 'cpu' });
    const { device } = model;
    await model.close();
    await requirePrecision('auto', device, []);
    await requirePrecision('int4', device, ['auto', 'int4']);
    await assert.rejects(requirePrecision('int4', device, ['auto', 'float32', 'int8']), /computes in float32 or int8/);
    await assert.rejects(requirePrecision('int8', { provider: 'webgpu' }, ['int8']), /integer products run on the CPU/);
  });
});

const randomFloats = (count: number, seed: number): Float32Array => Float32Array.from({ length: count }, normal(seed));

/** Numbers at and around the edges of float16: ties, subnormal numbers, the largest one; then others. */
function edges(count: number): Float32Array {
  const found = [
    1 + 2 ** -11,
    1 + 3 * 2 ** -11,
    -(1 + 2 ** -11 + 2 ** -20),
    65504,
    -65519,
    2 ** -24,
    3 * 2 ** -25,
    2 ** -25,
  ];
  const values = randomFloats(count, 9);
  found.forEach((value, i) => (values[i] = value));
  return values;
}
