/** Products in bfloat16: what refuses them here, and on arm64 that they are those of rounded factors, and nothing else is. */
import assert from 'node:assert/strict';
import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from 'onnx-buf';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { UserError } from '../../../src/engine/errors';
import { openModel, openModelOver } from '../../../src/engine/model/model';
import { faultOn, toBfloat16, tryProducts } from '../../../src/engine/onnx/bfloat16-trial';
import { Graph } from '../../../src/engine/onnx/graph';
import { bfloat16Linear, linear, matmul } from '../../../src/engine/onnx/ops/linear';
import { requirePrecision } from '../../../src/engine/onnx/require-precision';
import { float32, floats, openSession } from '../../../src/engine/onnx/session';
import { Bfloat16 } from '../../../src/engine/weights/bfloat16';
import { checkpointWeights } from '../../../src/engine/weights/checkpoint';
import type { WeightSource } from '../../../src/engine/weights/source';
import { arm64Node, onArm64, RoundedLinears } from '../../support/bfloat16';
import { fromBfloat16, toBfloat16 as bitsOf } from '../../support/half';
import { normal } from '../../support/random';
import { checkpointFolder } from '../../support/golden';
import { hasShared } from '../../support/shared';
import { tokenLosses } from '../../support/token-losses';
import { tinyCheckpoint } from '../../support/tiny-models';

const isArm64 = process.platform === 'linux' && process.arch === 'arm64';

const ALL_TOYS = ['llama-bias', 'gemma2-softcap', 'gemma3-pattern', 'granite-multipliers', 'phi3-partial'] as const;
/** Their blocks have convolutions, recurrences, experts, and sinks. */
const SHARED_TOYS = [
  'families3/lfm2-conv',
  'families3/granite4-hybrid',
  'families3/falconh1-parallel',
  'families3/qwen35-text',
  'families3/qwen3moe-norm',
  'families3/gptoss-sinks',
] as const;

describe('bfloat16', () => {
  it('rounds as the format says', () => {
    const next = normal(3);
    const values = Array.from({ length: 2000 }, () => Math.fround(next() * 2 ** (20 * next())));
    for (const value of [...values, 0, 1 + 2 ** -8, 1 + 3 * 2 ** -8, -(1 + 2 ** -8)]) {
      assert.equal(toBfloat16(value), fromBfloat16(bitsOf(value)));
    }
  });

  it('says why a machine cannot: its platform, its processor, or a wrong product', async () => {
    const found = (rounded: number, exact: number, other = 0) => Promise.resolve({ rounded, exact, other });
    assert.match((await faultOn('linux-x64', tryProducts))!, /Linux for arm64, and this is linux-x64/);
    assert.match((await faultOn('darwin-arm64', tryProducts))!, /this is darwin-arm64/);
    assert.match((await faultOn('linux-arm64', () => found(4e-3, 1e-7)))!, /no instructions.*came out in float32/);
    assert.match((await faultOn('linux-arm64', () => found(4e-3, 4e-3)))!, /came out wrong/);
    assert.match((await faultOn('linux-arm64', () => found(1e-7, 4e-3, 4e-3)))!, /should be float32/);
    assert.equal(await faultOn('linux-arm64', () => found(1e-7, 4e-3)), undefined);
  });

  it('is refused on GPUs, and where the setting does nothing, with what to use instead', async () => {
    await assert.rejects(requirePrecision('bfloat16', { provider: 'webgpu' }, ['bfloat16']), (error: unknown) => {
      assert.ok(error instanceof UserError);
      assert.match(error.action, /--precision float16.*--precision float32/);
      return true;
    });
    if (isArm64) return;
    const { rounded, exact, other } = await tryProducts();
    assert.ok(rounded > 1e-3 && exact < 1e-5 && other < 1e-5, 'the setting does nothing here');
    const checkpoint = await openCheckpoint(tinyCheckpoint('llama-plain'));
    await assert.rejects(openModel(checkpoint, { precision: 'bfloat16' }), (error: unknown) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.what, 'bfloat16 cannot be computed on this machine');
      assert.match(error.action, /--precision float32/);
      return true;
    });
  });

  it('marks a graph with such Linears, whose other products onnxruntime must leave alone', async () => {
    const [a, b] = [2, 3].map((seed) => Float32Array.from({ length: 24 }, normal(seed)));
    const results = await Promise.all(
      [false, true].map(async (isMarked) => {
        const g = new Graph();
        const [x, y] = [g.input('x', 'float32', [2, 3, 4]), g.input('y', 'float32', [2, 4, 3])];
        g.output('z', matmul(g, x, y));
        const row = g.input('row', 'float32', ['n', 4]);
        const weight = g.floats(a, [6, 4]);
        g.output('linear', isMarked ? bfloat16Linear(g, row, weight) : linear(g, row, weight));
        const file = g.serialize();
        assert.equal(file.isBfloat16, isMarked);
        const { graph } = fromBinary(ModelProtoSchema, file.bytes);
        const kinds = graph!.node.map(({ opType }) => opType).filter((kind) => kind !== 'Identity');
        assert.deepEqual(
          kinds,
          isMarked ? ['Transpose', 'FusedMatMul', 'Transpose', 'FusedMatMul'] : ['MatMul', 'Gemm'],
        );
        const session = await openSession(file, { provider: 'cpu' });
        const feeds = { x: float32(a, [2, 3, 4]), y: float32(b, [2, 4, 3]), row: float32(b, [6, 4]) };
        const found = await session.run(feeds);
        await session.close();
        return [...floats(found.z), ...(isArm64 ? [] : floats(found.linear))];
      }),
    );
    results[0].forEach((value, at) => assert.ok(Math.abs(value - results[1][at]) <= 1e-6 * (1 + Math.abs(value))));
  });

  const toys = [
    ...ALL_TOYS.map((name) => ({ name, path: () => tinyCheckpoint(name) })),
    ...(hasShared ? SHARED_TOYS.map((name) => ({ name, path: () => checkpointFolder(name) })) : []),
  ];
  for (const { name, path } of toys) {
    it(`writes graphs of the same model: ${name}`, async function () {
      if (isArm64) this.skip();
      // The setting does nothing here, so what is left is how products are written.
      const checkpoint = await openCheckpoint(path());
      const losses = async (weights: WeightSource): Promise<readonly number[]> => {
        const model = await openModelOver(weights, checkpoint, { device: 'cpu' });
        try {
          const rows = [0, 1].map((row) => Array.from({ length: 24 }, (_, at) => 4 + ((37 * at + 91 * row) % 250)));
          return await tokenLosses(model, rows, model.architecture.layers.length);
        } finally {
          await model.close();
        }
      };
      const expected = await losses(checkpointWeights(checkpoint));
      const found = await losses(new Bfloat16(checkpointWeights(checkpoint)));
      found.forEach((loss, at) =>
        assert.ok(Math.abs(loss - expected[at]) <= 2e-5 * (1 + loss), `${loss} for ${expected[at]}`),
      );
    });
  }

  if (arm64Node === undefined) it.skip('on arm64 (no such machine: COPPICE_TEST_ARM64 names none)');
  else {
    it('on arm64 is the product of rounded factors, in models of several kinds', async function () {
      this.timeout(1_800_000);
      const rows = [0, 1].map((row) => Array.from({ length: 24 }, (_, at) => 4 + ((37 * at + 91 * row) % 250)));
      const recurrent = hasShared ? RECURRENT_TOYS.map((name) => checkpointFolder(name)) : [];
      const paths = ['media/sample', ...TOYS.map((name) => tinyCheckpoint(name)), ...recurrent];
      const kept = 1;
      const jobs = paths.flatMap((path) =>
        (['bfloat16', 'float32'] as const).map((precision) => ({ path, rows, precision, kept })),
      );
      const { fault, products, losses } = await onArm64(jobs);
      assert.equal(fault, null);
      assert.ok(products.rounded < 1e-5 && products.other < 1e-5 && products.exact > 1e-3, JSON.stringify(products));
      for (const [at, path] of paths.entries()) {
        const [found, exact] = [losses[2 * at], losses[2 * at + 1]];
        const apart = medianDistance(found, await roundedLosses(path, rows, kept));
        const moved = medianDistance(found, exact);
        const message = `${path}: ${apart.toExponential(1)} from rounded factors, ${moved.toExponential(1)} from float32`;
        if (process.env.COPPICE_TEST_ARM64) console.log(`      ${message}`);
        assert.ok(apart < TOLERANCE && moved > 10 * apart, message);
      }
    });
  }
});

/** Their first blocks are a delta net and Mamba-2. */
const RECURRENT_TOYS = ['families3/qwen35-text', 'families3/granite4-hybrid'] as const;
const TOYS = ['llama-bias', 'llama-gqa-tied', 'granite-multipliers', 'gemma2-softcap', 'phi3-partial'] as const;

/**
 * Of the median token, in nats. Sums differ in their order, and a number near the middle between two of bfloat16 is then rounded to
 * the other, which changes a token and those after it as much as any rounding does. So one block is compared, and the median.
 */
const TOLERANCE = 2e-5;

const medianDistance = (a: readonly number[], b: readonly number[]): number =>
  a.map((value, at) => Math.abs(value - b[at])).sort((one, other) => one - other)[a.length >> 1];

/** The losses of tokens by Linears of rounded factors, on this machine. */
async function roundedLosses(
  path: string,
  rows: readonly (readonly number[])[],
  kept: number,
): Promise<readonly number[]> {
  const checkpoint = await openCheckpoint(path);
  const model = await openModelOver(new RoundedLinears(checkpointWeights(checkpoint)), checkpoint, { device: 'cpu' });
  try {
    return await tokenLosses(model, rows, kept);
  } finally {
    await model.close();
  }
}
