/** Training of some blocks: their gradients are those of training all, and nothing else changes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readAdapter } from '../../../src/engine/adapter/files';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import type { MemoryPolicy } from '../../../src/engine/model/training-step';
import { fullView } from '../../../src/engine/model/view';
import { readRecord } from '../../../src/engine/records/record';
import { fullModel, loadedParameters } from '../../../src/engine/retrain/full/full-model';
import { fullTrainingBytes } from '../../../src/engine/retrain/full/memory';
import { loraModel } from '../../../src/engine/retrain/lora/lora-model';
import { DropoutMasks } from '../../../src/engine/retrain/loop/dropout';
import { LINEAR_NAMES } from '../../../src/engine/adapter/names';
import { writePruned } from '../../../src/engine/write/write-pruned';
import { assertClose, assertGradientClose } from '../../support/close';
import { describedModel, watchSessions, withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { losses, newPlace, refused, run, textFile, tiny } from '../../support/retraining';
import { readCheckpointTensors } from '../../support/safetensors';
import { full } from '../../support/shared';
import { tinyCheckpoint } from '../../support/tiny-models';
import { fullSetup, loraSetup, textBatch, withBackprop } from '../../support/training';

const batch = textBatch([5, 24, 9].flatMap((length, i) => randomRows(1, length, 288, 91 + i)));
const POLICIES: readonly MemoryPolicy[] = [true, false].flatMap((keepSessions) =>
  (full ? [true, false] : [keepSessions]).map((keepActivations) => ({ keepSessions, keepActivations })),
);

describe('backpropagation to some blocks', () => {
  const folder = tinyCheckpoint('qwen2-mixed-windows');
  const model = describedModel(() => folder);

  it('gives adapters the gradients that they have among all', async () => {
    const dropout = { masks: new DropoutMasks(0.2, 3), step: 7 };
    const { parameters } = loraSetup(model(), { dropout: true });
    // Adapters without any effect on the other blocks, so that both models are the same.
    for (const [name, { values }] of parameters) if (!/^[13]\./.test(name) && name.endsWith('.B')) values.fill(0);
    const some = new Map([...parameters].filter(([name]) => /^[13]\./.test(name)));
    const shape = { rank: 4, alpha: 8, targets: LINEAR_NAMES, dropout: true };
    const of = (chosen: typeof parameters) => loraModel(model(), fullView(4), shape, chosen);
    const all = await withBackprop(model(), of(parameters), {}, (b) => b.gradients(batch, undefined, dropout));
    for (const policy of POLICIES) {
      const part = await withBackprop(model(), of(some), { policy }, (b) => b.gradients(batch, undefined, dropout));
      assertClose(part.loss, all.loss, { relative: 1e-6 }, 'loss');
      assert.deepEqual([...part.gradients.keys()].sort(), [...some.keys()].sort());
      for (const [name, gradient] of part.gradients) {
        assertGradientClose(gradient, all.gradients.get(name)!, 1e-5, name);
      }
    }
  });

  it('gives weights the gradients that they have among all', async () => {
    const all = await fullSetup(model());
    const expected = await withBackprop(model(), all.trainable, {}, (b) => b.gradients(batch));
    const parameters = await loadedParameters(model(), fullView(4), [1, 2]);
    assert.ok([...parameters.keys()].every((name) => /^model\.layers\.[12]\./.test(name)));
    for (const policy of POLICIES) {
      const trainable = fullModel(model(), fullView(4), parameters);
      const found = await withBackprop(model(), trainable, { policy }, (b) => b.gradients(batch));
      assertClose(found.loss, expected.loss, { relative: 1e-6 }, 'loss');
      assert.deepEqual([...found.gradients.keys()].sort(), [...parameters.keys()].sort());
      for (const [name, gradient] of found.gradients) {
        assertGradientClose(gradient, expected.gradients.get(name)!, 1e-5, name);
      }
    }
  });

  it('goes no further back than the first of them', async () => {
    await withModel(folder, async (watched) => {
      const counts = watchSessions(watched);
      const { parameters } = loraSetup(watched);
      const last = new Map([...parameters].filter(([name]) => name.startsWith('3.')));
      const shape = { rank: 4, alpha: 8, targets: LINEAR_NAMES, dropout: false };
      const trainable = loraModel(watched, fullView(4), shape, last);
      const policy = { keepSessions: true, keepActivations: true };
      await withBackprop(watched, trainable, { policy }, async (b) => {
        await b.gradients(batch);
        assert.equal(counts.open, 1 + 4 + 1, 'the head, four blocks forward, one backward');
        const { trainable: every } = loraSetup(watched);
        const whole = await withBackprop(watched, every, { policy }, (w) => Promise.resolve(w.activationBytes(24)));
        assert.equal(4 * b.activationBytes(24) <= 1.01 * whole, true, 'of one block only');
      });
    });
  });
});

describe('retrain --where', () => {
  const source = tiny('llama-gqa-tied');

  it('trains adapters at the cuts, and PEFT is told which blocks have one', async () => {
    const { out, record } = await run(source, { where: 'cuts' }, { removed: [{ block: 3 }] });
    const adapter = await readAdapter(out, await openCheckpoint(source));
    assert.deepEqual([...adapter.matrices.keys()], [2]);
    const config = JSON.parse(readFileSync(join(out, 'adapter_config.json'), 'utf8')) as Record<string, unknown>;
    assert.deepEqual(config.layers_to_transform, [2]);
    assert.deepEqual([record.settings.where, record.settings.trainedBlocks], ['cuts', [2]]);
  });

  it('knows the cuts of a pruned checkpoint from its record, and trains as on the view', async () => {
    const pruned = newPlace();
    await writePruned(await openCheckpoint(source), [1], pruned);
    const settings = { where: 'cuts', data: [textFile()], heldOut: 0, steps: 3 } as const;
    const [view, checkpoint] = [await run(source, settings, { removed: [{ block: 1 }] }), await run(pruned, settings)];
    assert.deepEqual(losses(checkpoint), losses(view));
    assert.deepEqual(checkpoint.record.settings.trainedBlocks, [0, 1]);
    // A further cut is one more.
    const further = await run(pruned, { ...settings, steps: 1 }, { removed: [{ block: 2 }] });
    assert.deepEqual([further.record.settings.where, further.record.settings.trainedBlocks], [undefined, undefined]);
    assert.equal(further.parameters, checkpoint.parameters, 'both blocks that are left');
  });

  it('says when the cuts are not known', () =>
    refused(run(source, { where: 'cuts' }), /no cut.*no record.*--remove.*--where/));

  it('goes on with the blocks of an adapter, and does not lose any', async () => {
    const view = { removed: [{ block: 3 }] };
    const first = await run(source, { where: 'cuts', steps: 2 }, view);
    const start = (where?: 'last3' | 'all' | 'cuts') =>
      run(source, { where, steps: 1, method: { kind: 'lora', start: first.out } }, view);
    assert.deepEqual((await start()).record.settings.trainedBlocks, [2]);
    assert.equal((await start('cuts')).parameters, first.parameters);
    await refused(start('all'), /cannot start from this adapter.*it has no 0/);
    const whole = await run(source, { steps: 1 }, view);
    await refused(
      run(source, { where: 'cuts', steps: 1, method: { kind: 'lora', start: whole.out } }, view),
      /it adapts block 0.*--where/,
    );
  });

  it('trains the weights of these blocks alone, and writes the others as they are', async () => {
    const full = { kind: 'full', start: 'checkpoint' } as const;
    const settings = { method: full, where: 'cuts', learningRate: 0.003, heldOut: 4 } as const;
    const result = await run(source, settings, { removed: [{ block: 0 }] });
    assert.ok(result.best!.loss < result.evaluations[0].loss, JSON.stringify(result.evaluations));
    const [before, after] = [readCheckpointTensors(source), readCheckpointTensors(result.out)];
    for (const [tensor, { values }] of after) {
      const block = /layers\.(\d)\./.exec(tensor)?.[1];
      const origin = tensor.replace(`layers.${block}.`, `layers.${Number(block) + 1}.`);
      const same = block !== '0';
      assert[same ? 'deepEqual' : 'notDeepEqual'](values, before.get(origin)!.values, tensor);
    }
    assert.match(readFileSync(join(result.out, 'README.md'), 'utf8'), /the weights of 1 block \(0\)/);
    const { settings: recorded } = await readRecord(join(result.out, 'coppice.json'));
    assert.deepEqual([recorded.where, recorded.trainedBlocks], ['cuts', [0]]);
  });

  it('needs memory for these blocks alone', async () => {
    const { architecture } = await openCheckpoint(source);
    const needs = { keepsBest: true, longest: 32 };
    const [all, two] = [needs, { ...needs, trained: [1, 2] }].map((each) => fullTrainingBytes(architecture!, each));
    const method = { kind: 'full', start: 'checkpoint', memory: all - 1 } as const;
    assert.ok(two < all);
    await refused(run(source, { method, steps: 1 }), /--where cuts/);
    await run(source, { method, where: 'last3', steps: 1 });
  });

  it('is part of what a stopped run is', async () => {
    const [out, data] = [newPlace(), [textFile()]];
    const settings = { out, data, steps: 6, saveEvery: 1, heldOut: 0 };
    const abort = new AbortController();
    const onStep = ({ step }: { step: number }): void => (step === 2 ? abort.abort() : undefined);
    const view = { removed: [{ block: 3 }] };
    const stopped = run(
      source,
      { ...settings, where: 'cuts' },
      { ...view, hooks: { onStep } },
      { signal: abort.signal },
    );
    await assert.rejects(stopped);
    await refused(run(source, { ...settings, resume: true }, view), /where \(cuts there, none here\)/);
    const resumed = await run(source, { ...settings, where: 'cuts', resume: true }, view);
    const whole = await run(source, { ...settings, out: newPlace(), where: 'cuts' }, view);
    assert.deepEqual(losses(resumed), losses(whole));
  });
});
