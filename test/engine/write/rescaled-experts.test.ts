/** Written checkpoints whose kept experts have factors: the bits of their views, rounded once to the stored type, and all else as it was. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { ExpertFactors, KeptExperts } from '../../../src/engine/checkpoint/kept-experts';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { keyText, weightKeys } from '../../../src/engine/checkpoint/weight-key';
import { newRecord } from '../../../src/engine/records/record';
import { checkpointWeights } from '../../../src/engine/weights/checkpoint';
import { FewerExperts } from '../../../src/engine/weights/fewer-experts';
import { writtenFactors } from '../../../src/engine/weights/scaled-experts';
import { writeFewerExperts } from '../../../src/engine/write/experts';
import { requireRescalable } from '../../../src/engine/write/rescaled-experts';
import { expertToy, stackedLayout } from '../../support/expert-toys';
import { checkpointFolder } from '../../support/golden';
import { asGguf } from '../../support/golden-gguf';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from '../../support/half';
import { decodedLogits, openToy, withModelOf } from '../../support/model';
import type { TestDtype, TestTensor } from '../../support/safetensors';
import { itShared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';

const KEPT: KeptExperts = new Map([
  [0, [0, 2]],
  [1, [1, 2]],
]);
/** One is 1, and leaves its expert as it is. */
const FACTORS: ExpertFactors = new Map([
  [0, [0.731234, 1]],
  [1, [1.3, 0.456789]],
]);

const ROUNDED: Readonly<Record<TestDtype, (value: number) => number>> = {
  F32: (value) => value,
  F16: (value) => fromFloat16(toFloat16(value)),
  BF16: (value) => fromBfloat16(toBfloat16(value)),
};

const inType = (dtype: TestDtype, layout = (tensors: readonly TestTensor[]) => tensors) =>
  expertToy({}, (tensors) => layout(tensors.map((each) => ({ ...each, dtype }))).map((each) => ({ ...each, dtype })));

const numbers = async (out: string, from: Checkpoint, dtype: TestDtype, kept = KEPT, factors = FACTORS) => {
  const record = () => newRecord({ kind: 'experts', inputs: [], settings: {}, results: {}, started: new Date() });
  await writeFewerExperts(from, { kept, removed: [], factors, card: () => 'card', record }, out);
  const written = await openCheckpoint(out);
  const [fewer, own] = [new FewerExperts(checkpointWeights(from), kept), checkpointWeights(written)];
  let changed = 0;
  for (const key of weightKeys(own.architecture)) {
    const [expected, found] = [await fewer.read(key), await own.read(key)];
    const match = typeof key === 'string' ? null : /^experts\.(\d+)\.down(Bias)?$/.exec(key.name);
    const factor = match && typeof key !== 'string' ? factors.get(key.layer)![Number(match[1])] : 1;
    if (factor !== 1) changed++;
    const scaled = factor === 1 ? expected : expected.map((x) => ROUNDED[dtype](Math.fround(x * Math.fround(factor))));
    assert.deepEqual(found, scaled, keyText(key));
    assert.equal(own.stored(key)?.dtype, fewer.stored(key)?.dtype ?? own.stored(key)?.dtype, keyText(key));
  }
  const row = [5, 17, 99, 250, 3];
  const view = await withModelOf(from, async (model) => {
    const rescaled = await model.withWeights(writtenFactors(new FewerExperts(checkpointWeights(from), kept), factors));
    try {
      return await decodedLogits(rescaled, [row]);
    } finally {
      await rescaled.close();
    }
  });
  assert.deepEqual(await withModelOf(written, (model) => decodedLogits(model, [row])), view);
  await fewer.close();
  await own.close();
  return changed;
};

describe('written checkpoints with rescaled experts', () => {
  const out = (name = 'rescaled') => join(temporaryFolder(), name);

  for (const dtype of ['F32', 'F16', 'BF16'] as const) {
    it(`have down_proj times its factor in ${dtype}, apart and stacked`, async () => {
      const [apart, stacked] = [inType(dtype), inType(dtype, stackedLayout)];
      assert.equal(await numbers(out(), await openToy(apart), dtype), 3);
      assert.equal(await numbers(out(), await openToy(stacked), dtype), 3);
    });
  }

  it('in GGUF too', async () => {
    const from = await openCheckpoint(await asGguf(await openToy(inType('F16')), [], { type: 'f16' }));
    await requireRescalable(from);
    assert.equal(await numbers(out('rescaled.gguf'), from, 'F16'), 3);
  });

  itShared('of gpt-oss have the biases of experts times the factor too', async () => {
    const from = await openCheckpoint(checkpointFolder('families3/gptoss-sinks'));
    const blocks = [...from.architecture!.layers.keys()];
    const kept = new Map(blocks.map((block) => [block, [0, 1, 3, 4]]));
    const factors = new Map(blocks.map((block) => [block, block === 1 ? [1, 1, 1, 1] : [0.5, 1, 0.8, 1.25]]));
    const changed = await numbers(out(), from, 'BF16', kept, factors);
    assert.equal(changed, 2 * 3 * (blocks.length - 1));
  });

  it('are told apart by their identities', async () => {
    const from = await openToy(inType('F32'));
    const written = async (factors?: ExpertFactors): Promise<string> => {
      const path = out();
      const record = () => newRecord({ kind: 'experts', inputs: [], settings: {}, results: {}, started: new Date() });
      await writeFewerExperts(from, { kept: KEPT, removed: [], factors, card: () => 'card', record }, path);
      return (await openCheckpoint(path)).identity;
    };
    const other = new Map([...FACTORS, [1, [1.3, 0.456788]]]);
    const all = [await written(), await written(FACTORS), await written(other)];
    assert.equal(new Set(all).size, 3);
    assert.equal(await written(FACTORS), all[1]);
  });

  it('are refused by name where experts are quantized', async () => {
    const from = await openCheckpoint(await asGguf(await openToy(expertToy()), [], { type: 'q4_0' }));
    await assert.rejects(requireRescalable(from), {
      name: 'UserError',
      message: /cannot be rescaled: ".*experts\.0\.w2\.weight" is stored as Q4_0, and would be quantized again/,
    });
  });
});
