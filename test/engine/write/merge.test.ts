/**
 * An adapter on top of a model, and merged into its weights: the two compute the same, the merged weights are what the
 * formula says, and both have the golden losses.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { blockOfTensor } from '../../../src/engine/checkpoint/weight-names';
import { CancelledError, UserError } from '../../../src/engine/errors';
import { sweepLosses } from '../../../src/engine/importance/sweep';
import { writePruned } from '../../../src/engine/write/write-pruned';
import { LINEAR_NAMES } from '../../../src/engine/adapter/names';
import { type Adapter, adapterPatches } from '../../../src/engine/adapter/adapter';
import { readAdapter, writeAdapter } from '../../../src/engine/adapter/files';
import { mergeAdapter, type MergeOptions } from '../../../src/engine/write/merge';
import { readRecord } from '../../../src/engine/records/record';
import type { Model } from '../../../src/engine/model/model';
import { fullView, stepsOf, type View, viewWithout } from '../../../src/engine/model/view';
import { goldenStart, randomAdapter } from '../../support/adapters';
import { assertAllClose, assertClose } from '../../support/close';
import { checkpointFolder, FAMILIES, type GoldenBatch, goldenLora, type GoldenName } from '../../support/golden';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from '../../support/half';
import { decodedLogits, withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { readCheckpointTensors, type TestDtype } from '../../support/safetensors';
import { itFull, itShared, smollm2Folder } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { TINY_MODELS, tinyCheckpoint } from '../../support/tiny-models';

/** Merges into a new folder. */
async function merged(source: string, adapter: Adapter, options: MergeOptions = {}): Promise<string> {
  const { out } = await mergeAdapter(await openCheckpoint(source), adapter, join(temporaryFolder(), 'merged'), options);
  return out;
}

const adapterFor = async (source: string, removed: number[], seed = 1): Promise<Adapter> =>
  randomAdapter(requireArchitecture(await openCheckpoint(source)), { removed }, seed);

const viewOf = (model: Model, adapter: Adapter): View =>
  viewWithout(
    model.architecture.layers.length,
    adapter.removed.map((block) => ({ block })),
  );

/** Every token's loss. */
async function losses(model: Model, rows: number[][], view: View): Promise<Float64Array> {
  return (await sweepLosses(model, rows, stepsOf(view), [])).full;
}

const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean loss over the targets of a batch that are not masked; its rows are of several lengths. */
async function batchLoss(model: Model, { ids, labels }: GoldenBatch, view: View): Promise<number> {
  let sum = 0;
  let targets = 0;
  for (const [i, row] of ids.entries()) {
    const rowLosses = await losses(model, [[...row]], view);
    labels[i].slice(1).forEach((label, t) => {
      if (label === -100) return;
      sum += rowLosses[t];
      targets++;
    });
  }
  return sum / targets;
}

const ROUND: Record<TestDtype, (value: number) => number> = {
  F32: Math.fround,
  F16: (value) => fromFloat16(toFloat16(Math.fround(value))),
  BF16: (value) => fromBfloat16(toBfloat16(Math.fround(value))),
};

describe('merge', function () {
  this.timeout(120_000);

  for (const name of TINY_MODELS) {
    it(`${name}: an adapter on top computes what the merged checkpoint computes`, async () => {
      const source = tinyCheckpoint(name);
      const adapter = await adapterFor(source, [1]);
      const out = await merged(source, adapter, { dtype: 'F32' });
      const rows = randomRows(3, 40, 288, 9);
      const prompt = rows[0].slice(0, 12);
      const onTop = await withModel(
        source,
        async (model) => {
          const view = viewOf(model, adapter);
          const [logits] = await decodedLogits(model, [prompt], view);
          return { losses: await losses(model, rows, view), logits };
        },
        { changes: [adapterPatches(adapter)] },
      );
      const bare = await withModel(source, (model) => losses(model, rows, viewOf(model, adapter)));
      assert.ok(
        bare.some((loss, i) => Math.abs(loss - onTop.losses[i]) > 0.1),
        'the adapter matters',
      );
      await withModel(out, async (model) => {
        const exact = await losses(model, rows, fullView(3));
        assertClose(mean(exact), mean(onTop.losses), { absolute: 1e-5 }, 'mean loss');
        assertAllClose(exact, onTop.losses, { relative: 1e-5 }, 'loss');
        const [logits] = await decodedLogits(model, [prompt]);
        assertAllClose(logits, onTop.logits, { absolute: 5e-5 }, 'logit');
      });
    });
  }

  for (const [name, dtype] of [
    ['llama-plain', undefined],
    ['llama-gqa-tied', undefined],
    ['llama3-rope', undefined],
    ['llama-plain', 'BF16'],
    ['llama-gqa-tied', 'F32'],
    ['mistral-window', 'F16'],
  ] as const) {
    it(`${name}${dtype ? ` as ${dtype}` : ''}: W + (α/r) B A, rounded once; all else as it was`, async () => {
      const source = tinyCheckpoint(name);
      const adapter = await adapterFor(source, [2]);
      const out = await merged(source, adapter, { dtype });
      const after = readCheckpointTensors(out);
      for (const [tensorName, before] of readCheckpointTensors(source)) {
        const at = blockOfTensor(tensorName);
        if (at && adapter.removed.includes(at.block)) continue;
        const block = at && at.block - adapter.removed.filter((gone) => gone < at.block).length;
        const newName = at ? tensorName.replace(`.${at.block}.`, `.${block}.`) : tensorName;
        const { values, dtype: stored, shape } = after.get(newName)!;
        after.delete(newName);
        assert.equal(stored, dtype ?? before.dtype);
        assert.deepEqual(shape, before.shape);
        const expected = Float64Array.from(before.values);
        if (block !== undefined) addProduct(expected, adapter, block, newName);
        for (let i = 0; i < expected.length; i++) {
          // Sums in another order may fall on the other side of a rounding's border.
          const near = ROUND[stored](expected[i]);
          const other = [1e-13, -1e-13].map((shift) => ROUND[stored](expected[i] + shift));
          assert.ok(values[i] === near || other.includes(values[i]), `${newName}[${i}]: ${values[i]}, not ${near}`);
        }
      }
      assert.deepEqual([...after.keys()], []);
      const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')) as Record<string, unknown>;
      const sourceConfig = (await openCheckpoint(source)).config!;
      const named = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };
      assert.equal(config.torch_dtype, dtype ? named[dtype] : sourceConfig.torch_dtype);
      assert.equal(config.num_hidden_layers, 3);
    });
  }

  it('gives the same weights on the pruned checkpoint', async () => {
    const source = tinyCheckpoint('qwen2-layer-types', { tokenizer: true });
    const checkpoint = await openCheckpoint(source);
    const folder = await writeAdapter(join(temporaryFolder(), 'adapter'), await adapterFor(source, [0, 2]), checkpoint);
    const atOnce = await merged(source, await readAdapter(folder, checkpoint));
    const { out: pruned } = await writePruned(checkpoint, [0, 2], join(temporaryFolder(), 'pruned'));
    const later = await merged(pruned, await readAdapter(folder, await openCheckpoint(pruned)));
    assert.deepEqual(readCheckpointTensors(later), readCheckpointTensors(atOnce));
    assert.deepEqual((await openCheckpoint(later)).architecture, (await openCheckpoint(atOnce)).architecture);
    assert.ok(existsSync(join(later, 'tokenizer.json')));
  });

  it('makes a checkpoint that is told apart from its source, and takes no adapter twice', async () => {
    const source = tinyCheckpoint('llama-rope-parameters');
    const checkpoint = await openCheckpoint(source);
    const folder = await writeAdapter(join(temporaryFolder(), 'adapter'), await adapterFor(source, []), checkpoint);
    const out = await merged(source, await readAdapter(folder, checkpoint));
    const twice = await openCheckpoint(out);
    assert.notEqual(twice.identity, checkpoint.identity);
    await assert.rejects(readAdapter(folder, twice), { name: 'UserError', why: /whose files differ/ });
  });

  it('leaves a record and a card that say what was done', async () => {
    const source = tinyCheckpoint('llama-plain');
    const adapter = await adapterFor(source, [3]);
    const inputs = [{ role: 'adapter', name: 'adapter', sha256: 'ab' }];
    const out = await merged(source, adapter, { dtype: 'BF16', provenance: { inputs } });
    const record = await readRecord(join(out, 'coppice.json'));
    assert.equal(record.kind, 'merge');
    assert.deepEqual(
      record.inputs.map(({ role }) => role),
      ['model', 'adapter'],
    );
    assert.deepEqual([record.settings.dtype, record.settings.rank, record.settings.removed], ['BF16', 4, [3]]);
    assert.deepEqual([record.results.removed, record.results.kept], [[3], [0, 1, 2]]);
    const card = readFileSync(join(out, 'README.md'), 'utf8');
    assert.match(card, /3 of 4 blocks, retrained/);
    assert.match(card, /adapter of rank 4/);
  });

  it('refuses what a type cannot hold, naming the tensor, and leaves nothing', async () => {
    const source = tinyCheckpoint('llama3-rope'); // F16
    const adapter = await adapterFor(source, []);
    adapter.matrices.get(2)!['down.B'].fill(1e5);
    const parent = temporaryFolder();
    const checkpoint = await openCheckpoint(source);
    await assert.rejects(mergeAdapter(checkpoint, adapter, join(parent, 'out')), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.what, /"model\.layers\.2\.mlp\.down_proj\.weight" cannot be stored as F16/);
      assert.match(error.action, /bf16/);
      return true;
    });
    assert.deepEqual(readdirSync(parent), []);
    await mergeAdapter(checkpoint, adapter, join(parent, 'out'), { dtype: 'BF16' });
  });

  it('leaves nothing when cancelled, and never writes over anything', async () => {
    const source = tinyCheckpoint('llama-plain');
    const checkpoint = await openCheckpoint(source);
    const adapter = await adapterFor(source, [1]);
    const parent = temporaryFolder();
    const controller = new AbortController();
    const reports: number[] = [];
    const onProgress = ({ done, total }: { done: number; total: number }): void => {
      reports.push(done / total);
      if (done > total / 2) controller.abort();
    };
    const job = { signal: controller.signal, onProgress };
    await assert.rejects(mergeAdapter(checkpoint, adapter, join(parent, 'out'), job), CancelledError);
    assert.ok(reports.length > 3);
    assert.deepEqual(readdirSync(parent), []);
    await assert.rejects(mergeAdapter(checkpoint, adapter, parent), {
      name: 'UserError',
      why: /Coppice never overwrites/,
    });
    await assert.rejects(mergeAdapter(checkpoint, adapter, join(source, 'out')), { why: /inside the source/ });
  });

  describe('the golden start', () => {
    for (const name of ['stories260K', ...FAMILIES.map((family) => `families/${family}` as const)] as const) {
      const isFirst = name === 'stories260K' || name === 'families/llama-bias';
      (isFirst ? itShared : itFull)(name, () => assertGolden(name, checkpointFolder(name)));
    }
    itFull('smollm2-135m', () => assertGolden('smollm2-135m', smollm2Folder()));
  });
});

/** On top and merged, the first loss of the golden trace. */
async function assertGolden(name: GoldenName, source: string): Promise<void> {
  const golden = goldenLora(name);
  const adapter = goldenStart(requireArchitecture(await openCheckpoint(source)), golden.removed);
  const [batch] = golden.batches;
  const onTop = await withModel(source, (model) => batchLoss(model, batch, viewOf(model, adapter)), {
    changes: [adapterPatches(adapter)],
  });
  assertClose(onTop, golden.firstLoss, { absolute: 1e-5 }, 'on top');
  const loss = (model: Model): Promise<number> => batchLoss(model, batch, fullView(model.architecture.layers.length));
  const exact = await withModel(await merged(source, adapter, { dtype: 'F32' }), loss);
  assertClose(exact, onTop, { absolute: 1e-5 }, 'merged in float32');
}

/** Adds (α/r) B A to the weight of that name, if the adapter has it; written from the definition. */
function addProduct(weight: Float64Array, adapter: Adapter, block: number, name: string): void {
  const { rank, alpha, matrices } = adapter;
  const linear = LINEAR_NAMES.find(
    (key) => name.startsWith(`model.layers.${block}.`) && name.endsWith(`.${key}_proj.weight`),
  );
  if (linear === undefined) return;
  const a = matrices.get(block)![`${linear}.A`];
  const b = matrices.get(block)![`${linear}.B`];
  const width = a.length / rank;
  for (let i = 0; i < weight.length; i++) {
    let sum = 0;
    for (let r = 0; r < rank; r++) sum += b[Math.floor(i / width) * rank + r] * a[r * width + (i % width)];
    weight[i] += (alpha / rank) * sum;
  }
}
