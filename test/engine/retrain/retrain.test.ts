/**
 * Retraining as a whole, on toy checkpoints: what is written is what was trained, the same run gives the same numbers,
 * and what cannot be done is refused before it costs anything.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { CancelledError } from '../../../src/engine/errors';
import { adapterPatches } from '../../../src/engine/adapter/adapter';
import { readAdapter } from '../../../src/engine/adapter/files';
import { fullTrainingBytes } from '../../../src/engine/retrain/full/memory';
import type { RetrainResult } from '../../../src/engine/retrain/report';
import { retrain } from '../../../src/engine/retrain/retrain';
import type { RetrainSettings } from '../../../src/engine/retrain/settings';
import { discardTraining, readStopped } from '../../../src/engine/retrain/loop/stopped';
import { readRecord } from '../../../src/engine/records/record';
import { loadTokenizer } from '../../../src/engine/tokenizer/tokenizer';
import { viewWithout } from '../../../src/engine/model/view';
import { checkpointFolder } from '../../support/golden';
import { withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { itFull } from '../../support/shared';
import { readCheckpointTensors } from '../../support/safetensors';
import { temporaryFolder } from '../../support/temporary';
import { textFile, newPlace, losses, tiny, refused, run } from '../../support/retraining';
import { evaluatePerplexity } from '../../support/measuring';

describe('retrain: an adapter', () => {
  const source = tiny('llama-gqa-tied');

  it('of a pruned view: learns, is stored as trained, and says how it was made', async () => {
    const result = await run(source, { heldOut: 4 }, { removed: [{ block: 1 }] });
    assert.equal(result.kind, 'adapter');
    assert.equal(result.steps, 12);
    assert.ok(result.best!.loss < result.evaluations[0].loss - 0.1, JSON.stringify(result.evaluations));
    assert.deepEqual(readdirSync(result.out).sort(), [
      'adapter_config.json',
      'adapter_model.safetensors',
      'coppice.json',
    ]);
    assert.ok(!existsSync(`${result.out}.training`));
    const adapter = await readAdapter(result.out, await openCheckpoint(source));
    assert.deepEqual(adapter.removed, [1]);
    assert.deepEqual([...adapter.matrices.keys()], [0, 1, 2]);
    const { kind, inputs, settings, results } = await readRecord(join(result.out, 'coppice.json'));
    assert.equal(kind, 'retrain');
    assert.deepEqual(
      inputs.map(({ role }) => role),
      ['model', 'data'],
    );
    assert.equal(settings.rank, 8);
    assert.equal((results.trace as unknown[]).length, 12);
  });

  it('what is stored has the loss that was measured', async () => {
    const rows = randomRows(3, 24, 288, 3);
    const file = join(temporaryFolder(), 'batches.json');
    writeFileSync(file, JSON.stringify({ batches: [{ ids: rows, labels: rows }] }));
    const settings = { data: [file], steps: 6, method: { kind: 'lora', dropout: 0 } as const };
    const { out } = await run(source, settings, { removed: [{ block: 2 }] });
    const adapter = await readAdapter(out, await openCheckpoint(source));
    // One more step measures the loss before it moves: that of the six steps' adapter, under the same schedule.
    const more = await run(
      source,
      { ...settings, steps: 1, learningRate: 1e-9, method: { kind: 'lora', dropout: 0, start: out } },
      { removed: [{ block: 2 }] },
    );
    const { meanNll } = await withModel(
      source,
      (model) =>
        evaluatePerplexity(model, rows.flat(), {
          window: 24,
          bos: 'none',
          view: viewWithout(model.architecture.layers.length, [{ block: 2 }]),
        }),
      { changes: [adapterPatches(adapter)] },
    );
    assert.ok(Math.abs(more.trace[0].loss - meanNll) < 1e-5, `${more.trace[0].loss} ${meanNll}`);
  });

  it('the same run gives the same numbers; another seed others', async () => {
    const data = [textFile()];
    const few = { data, steps: 4 };
    const [a, b, c] = [await run(source, few), await run(source, few), await run(source, { ...few, seed: 7 })];
    assert.deepEqual(losses(a), losses(b));
    assert.notDeepEqual(losses(a), losses(c));
    const weights = (result: RetrainResult): Buffer => readFileSync(join(result.out, 'adapter_model.safetensors'));
    assert.deepEqual(weights(a), weights(b));
  });

  it('merged at once: a checkpoint without the removed block, of the type asked for', async () => {
    const { out, kind, removed } = await run(
      source,
      { merge: true, dtype: 'F32', steps: 2 },
      { removed: [{ block: 0 }] },
    );
    assert.deepEqual([kind, removed], ['checkpoint', [0]]);
    const written = await openCheckpoint(out);
    assert.equal(written.architecture?.layers.length, 3);
    assert.ok([...written.tensors.values()].every(({ dtype }) => dtype === 'F32'));
    assert.equal((await readRecord(join(out, 'coppice.json'))).kind, 'retrain');
  });

  it('stops early once nothing gets better', async () => {
    const result = await run(source, { learningRate: 1e-12, steps: 40, evalEvery: 2, patience: 2, heldOut: 4 });
    assert.ok(result.steps < 40, String(result.steps));
  });

  it('batches of a file are taken as they are, one a step', async () => {
    const batch = (seed: number): object => {
      const ids = randomRows(2, 16, 288, seed);
      return { ids, labels: ids };
    };
    const file = (batches: object[]): string => {
      const path = join(temporaryFolder(), 'batches.json');
      writeFileSync(path, JSON.stringify({ batches }));
      return path;
    };
    const one = await run(source, {
      data: [file([batch(1), batch(2), batch(3)])],
      steps: undefined,
      learningRate: 1e-12,
    });
    const other = await run(source, { data: [file([batch(3), batch(1)])], steps: undefined, learningRate: 1e-12 });
    assert.deepEqual([one.steps, other.steps], [3, 2]);
    assert.ok(Math.abs(one.trace[0].loss - other.trace[1].loss) < 1e-4);
    assert.ok(Math.abs(one.trace[2].loss - other.trace[0].loss) < 1e-4);
  });
});

describe('retrain: every weight', () => {
  const full = { kind: 'full', start: 'checkpoint' } as const;

  for (const name of ['llama-gqa-tied', 'llama-bias', 'qwen3-qknorm', 'llama3-rope'] as const) {
    // Tied and without biases, and the other way round.
    (name === 'llama-gqa-tied' || name === 'llama-bias' ? it : itFull)(
      `${name}: learns, and every tensor is written anew`,
      async () => {
        const source = tiny(name);
        const result = await run(
          source,
          { method: full, learningRate: 0.003, heldOut: 4 },
          { removed: [{ block: 2 }] },
        );
        assert.ok(result.best!.loss < result.evaluations[0].loss - 0.1, JSON.stringify(result.evaluations));
        const [before, after] = [readCheckpointTensors(source), readCheckpointTensors(result.out)];
        const written = await openCheckpoint(result.out);
        assert.equal(written.architecture?.layers.length, 3);
        for (const [tensor, { values }] of after) {
          const origin = tensor.replace('layers.2.', 'layers.3.'); // block 3 has become block 2
          assert.notDeepEqual(values, before.get(origin)!.values, tensor);
          assert.equal(written.tensors.get(tensor)!.dtype, before.get(origin)!.dtype);
        }
      },
    );
  }

  it('from scratch: nothing of the source’s weights is left', async () => {
    const data = [textFile()];
    const random = { kind: 'full', start: 'random' } as const;
    const settings = { data, method: random, learningRate: 0.003, dtype: 'F32' as const, steps: 3 };
    const [a, b] = [await run(tiny('llama-plain', 1), settings), await run(tiny('llama-plain', 2), settings)];
    assert.deepEqual(losses(a), losses(b));
    assert.ok(Math.abs(a.trace[0].loss - Math.log(288)) < 0.2, 'a model that knows nothing');
    assert.deepEqual(readCheckpointTensors(a.out), readCheckpointTensors(b.out));
  });

  it('is refused beyond the memory, with the bytes that it needs', async () => {
    const source = tiny('llama-plain');
    const { architecture } = await openCheckpoint(source);
    const bytes = fullTrainingBytes(architecture!, { keepsBest: true, longest: 32 });
    await refused(run(source, { method: { ...full, memory: bytes - 1 } }), new RegExp(`needs ${bytes} bytes`));
    await run(source, { method: { ...full, memory: bytes }, steps: 1 });
    // Nothing held out is no best to keep; longer rows are more attention.
    const less = fullTrainingBytes(architecture!, { keepsBest: false, longest: 32 });
    assert.ok(less < bytes);
    await run(source, { method: { ...full, memory: less }, steps: 1, heldOut: 0 });
    await refused(run(source, { method: { ...full, memory: less }, heldOut: 0, length: 128 }), /rows of 128 tokens/);
  });
});

describe('retrain: refused, cancelled, gone on with', () => {
  const source = tiny('llama-gqa-tied');

  it('a view without a single module cannot be stored', () =>
    refused(run(source, {}, { removed: [{ block: 1, part: 'ffn' }] }), /without 1\.ffn.*whole blocks/));

  it('an output that exists, rows beyond the context, a warm-up beyond the end', async () => {
    await refused(run(source, { out: temporaryFolder() }), /exists already/);
    await refused(run(source, { length: 257 }), /context is 256/);
    await refused(run(source, { warmup: 20 }), /the run has 12/);
  });

  it('a loss that explodes stops with what to try, with nothing held out too', async () => {
    const other = newPlace();
    await refused(
      run(source, { out: other, heldOut: 0, learningRate: 1e30, saveEvery: 1 }),
      /no longer a finite number.*--lr/,
    );
    assert.deepEqual([existsSync(other), existsSync(`${other}.training`)], [false, false]);
    await run(source, { out: other, heldOut: 0, steps: 1 });
    const out = newPlace();
    const method = { kind: 'full', start: 'checkpoint' } as const;
    await refused(run(source, { out, method, learningRate: 1e6 }), /Training stopped.*--lr/);
    assert.ok(!existsSync(out));
    // What led nowhere is forgotten: the next try needs no other place.
    assert.ok(!existsSync(`${out}.training`));
    await run(source, { out, method, steps: 1 });
    assert.ok(existsSync(out));
  });

  it('so does one of the held-out part that never was below the first', async () => {
    const sample = checkpointFolder('sample'); // which knows something that it can lose
    const settings = { heldOut: 4, learningRate: 1e9, steps: 4, evalEvery: 2, clip: 1e9 };
    await refused(run(sample, settings), /held-out part rose from.*--lr/);
  });

  it('cancelled: the state stays, another start is refused, --resume gives the uninterrupted numbers', async () => {
    const data = [textFile()];
    const whole = await run(source, { data, heldOut: 4 }, { removed: [{ block: 1 }] });
    const out = newPlace();
    const settings = { data, out, heldOut: 4 };
    for (const stop of [1, 5]) {
      const controller = new AbortController();
      const onStep = ({ step }: { step: number }): void => (step >= stop ? controller.abort() : undefined);
      const tokenizer = await loadTokenizer(source);
      const all: RetrainSettings = {
        method: { kind: 'lora' },
        length: 32,
        batch: 4,
        steps: 12,
        learningRate: 0.01,
        evalEvery: 4,
        ...settings,
        resume: stop > 1,
      };
      const stopped = withModel(source, (model) =>
        retrain(model, all, { removed: [{ block: 1 }], tokenizer, hooks: { onStep } }, { signal: controller.signal }),
      );
      await assert.rejects(stopped, CancelledError);
      assert.ok(existsSync(join(`${out}.training`, 'state.safetensors')));
    }
    // Its state alone says how far it is, and all that it was asked for.
    const found = await readStopped(out);
    const { request } = found!;
    assert.deepEqual([found!.step, found!.steps, found!.log.trace.length], [5, 12, 5]);
    assert.equal(found!.model, (await openCheckpoint(source)).identity);
    assert.deepEqual([request!.checkpoint, request!.removed], [source, [1]]);
    await refused(run(source, settings, { removed: [{ block: 1 }] }), /already being trained.*--resume/);
    await refused(
      run(source, { ...settings, resume: true, learningRate: 0.02 }, { removed: [{ block: 1 }] }),
      /other settings/,
    );
    const removed = request!.removed.map((block) => ({ block }));
    const tokenizer = await loadTokenizer(source);
    const resumed = await withModel(request!.checkpoint, (model) =>
      retrain(model, { ...request!.settings, out: found!.out, resume: true }, { removed, tokenizer }),
    );
    assert.deepEqual(losses(resumed), losses(whole));
    assert.deepEqual(resumed.evaluations, whole.evaluations);
    assert.deepEqual(
      readFileSync(join(out, 'adapter_model.safetensors')),
      readFileSync(join(whole.out, 'adapter_model.safetensors')),
    );
    assert.ok(!existsSync(`${out}.training`));
  });

  it('a training that was stopped can be discarded: its folder goes, and nothing else', async () => {
    const out = newPlace();
    const controller = new AbortController();
    const onProgress = ({ label }: { label: string }): void => {
      if (label.startsWith('step 2')) controller.abort();
    };
    const settings = { data: [textFile()], out };
    await assert.rejects(run(source, settings, {}, { signal: controller.signal, onProgress }), CancelledError);
    const folder = `${out}.training`;
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    await discardTraining(out);
    assert.deepEqual(readdirSync(folder), ['notes.txt']); // which is another's
    assert.equal(await readStopped(out), undefined);
    rmSync(join(folder, 'notes.txt'));
    await discardTraining(out);
    assert.ok(!existsSync(folder));
  });

  it('a training that runs is none that was stopped, and is not discarded', async () => {
    const out = newPlace();
    const seen: unknown[] = [];
    const busy: Promise<void>[] = [];
    const onStep = ({ step }: { step: number }): void => {
      if (step !== 3) return;
      busy.push(refused(discardTraining(out), /is training it/));
      busy.push(readStopped(out).then((found) => void seen.push(found)));
    };
    await run(source, { data: [textFile()], out, saveEvery: 1 }, { hooks: { onStep } });
    await Promise.all(busy);
    assert.deepEqual(seen, [undefined]);
    assert.ok(existsSync(out));
  });
});
