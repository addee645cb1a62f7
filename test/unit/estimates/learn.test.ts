/** What finished jobs teach: what was never measured, or takes most of their time; texts by their tokens a second; and a toy nothing of a model. */
import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import { type AskedJob, timeOf, workOf } from '../../../src/estimates/job';
import { type Finished, learn, learnFrom } from '../../../src/estimates/learn';
import { MachineSpeeds, type Time } from '../../../src/estimates/machine';
import { memoryOf } from '../../../src/estimates/memory';
import { factsOf, modelsAt, openModels } from '../../../src/estimates/models';
import type { Work } from '../../../src/estimates/work';
import { comparing, exported, writing } from '../../../src/estimates/writing';
import { architectureOf } from '../../support/checkpoint-files';
import { temporaryFolder } from '../../support/temporary';

const sample = resolve(import.meta.dirname, '../../../media/sample');
const calibration = join(sample, 'calibration.txt');

const smol = {
  architecture: architectureOf({
    ...{ hidden_size: 576, intermediate_size: 1536, num_hidden_layers: 30, num_attention_heads: 9 },
    ...{ num_key_value_heads: 3, vocab_size: 49152, tie_word_embeddings: true },
  }),
  bytes: 270e6,
};
const tiny = factsOf({ architecture: architectureOf(), shards: [] })!;
const models = modelsAt((path) => ({ smol, tiny })[path]);

const RATES = { flops: 400e9, bytes: 20e9, numbers: 1e9, files: 1e9 };
const newSpeeds = (): MachineSpeeds => {
  const speeds = MachineSpeeds.none(2);
  speeds.setRates('cpu', RATES);
  return speeds;
};

describe('learning from jobs', () => {
  it('is what the next job of the kind takes, and is kept in a file', async () => {
    const folder = temporaryFolder();
    const job: AskedJob = { kind: 'eval', options: { checkpoint: sample, calibration, samples: 64 } };
    const speeds = await MachineSpeeds.open(folder, 2);
    const known = await openModels(job.options);
    assert.equal(timeOf(job, known, speeds)!.measured, false);
    await learnFrom(speeds, { ...job, result: { seconds: 599 }, seconds: 600 });
    const again = timeOf(job, known, await MachineSpeeds.open(folder, 2))!;
    assert.ok(again.measured && Math.abs(again.seconds - 600) < 6, String(again.seconds));
  });

  it('is nothing from a job whose model is gone, a resumed one, one in another precision, and questions', async () => {
    const speeds = newSpeeds();
    const job = { kind: 'score', options: { checkpoint: 'smol', calibration, samples: 64 }, seconds: 600 } as const;
    await learnFrom(speeds, { ...job, options: { checkpoint: join(sample, 'none') }, result: {} });
    learn(speeds, { ...job, result: { precision: 'int8' } }, models);
    learn(speeds, { ...job, options: { ...job.options, resume: true }, result: {} }, models);
    const own = [join(sample, 'stories.coppice-tasks.json')];
    const questions: AskedJob = { kind: 'tasks', options: { checkpoints: ['smol'], own } };
    assert.ok(timeOf(questions, models, speeds)!.seconds > 1);
    learn(speeds, { ...questions, result: {}, seconds: 600 }, models);
    assert.equal(timeOf(questions, models, speeds)!.measured, false);
    assert.equal(timeOf(job, models, speeds)!.measured, false);
    learn(speeds, { ...job, result: { precision: 'mixed' } }, models);
    assert.equal(timeOf(job, models, speeds)!.measured, true);
  });

  it('holds for all parts that were never measured, which were wrong by the same factor', () => {
    const speeds = newSpeeds();
    const job: AskedJob = { kind: 'score', options: { checkpoint: 'smol', criterion: 'magnitude' } };
    const before = timeOf(job, models, speeds)!;
    learn(speeds, { ...job, result: {}, seconds: before.seconds / 2 }, models);
    const parts = workOf(job, models)!.map((part) => speeds.timeOf(part));
    assert.ok(parts.every(({ measured }) => measured));
    assert.ok(Math.abs(parts.reduce((sum, { seconds }) => sum + seconds, 0) - before.seconds / 2) < 1e-9);
    // Now that both are known, what takes most of the time was wrong.
    const [, files] = workOf(job, models)!;
    const known = speeds.timeOf(files).seconds;
    learn(speeds, { ...job, result: {}, seconds: before.seconds }, models);
    assert.equal(speeds.timeOf(files).seconds, known);
    assert.ok(Math.abs(timeOf(job, models, speeds)!.seconds - before.seconds) < 1e-9);
  });

  it('of an export is how fast weights are compared, which takes most of it, and not how fast texts are written', () => {
    const speeds = newSpeeds();
    const parts = comparing({ model: smol, removed: [] });
    learn(speeds, { kind: 'verify', options: { output: 'smol' }, result: {}, seconds: 30 }, models);
    const [compared, , decoded] = parts.map((part) => speeds.timeOf(part));
    assert.ok(compared.measured && compared.seconds > 25 && compared.seconds < 30, String(compared.seconds));
    assert.equal(decoded.measured, false);
  });

  it('of a healing is of its text and of itself, each by its own seconds', () => {
    const speeds = newSpeeds();
    const job: AskedJob = { kind: 'heal', options: { checkpoint: 'smol', remove: [10, 11], data: ['self'] } };
    learn(speeds, { ...job, result: { seconds: 500, writingSeconds: 400, ridge: null }, seconds: 503 }, models);
    const [write, heal] = ['write', 'heal'].map((kind) =>
      workOf(job, models)!.find((each) => each.kind === 'products' && each.work === kind)!,
    );
    assert.ok(Math.abs(speeds.timeOf(write).seconds - 400) < 1e-6);
    assert.ok(Math.abs(speeds.timeOf(heal).seconds - 100) < 1e-6);
  });

  it('of texts and speeds is how many weights are read in a second, of models that no cache holds', () => {
    const learned = (job: AskedJob, result: object): number => {
      const speeds = newSpeeds();
      learn(speeds, { ...job, result, seconds: 9 }, models);
      const { seconds, measured } = speeds.timeOf({ kind: 'decode', bytes: 1e12, perToken: 1e9 });
      return measured ? Math.round(1e12 / seconds) : 0;
    };
    const text: AskedJob = { kind: 'generate', options: { checkpoint: 'smol', prompt: 'A' } };
    const wrote = { removed: [], precision: 'float32', decodeTokensPerSecond: 10 };
    assert.equal(learned(text, wrote), 10 * 4 * 134_515_008);
    // A block of SmolLM2 has 3 540 096 parameters.
    assert.equal(learned(text, { ...wrote, removed: [4, 5] }), 10 * 4 * (134_515_008 - 2 * 3_540_096));
    for (const [job, result] of [
      [text, { ...wrote, precision: 'int8' }],
      [{ ...text, options: { checkpoint: 'tiny' } }, wrote],
      [{ ...text, options: { checkpoint: 'not known' } }, wrote],
    ] as const)
      assert.equal(learned(job, result), 0, JSON.stringify(result));
    const columns = ['tiny', 'smol'].map((checkpoint) => ({ label: checkpoint, checkpoint }));
    const measured = [
      { removed: [], decodeTokensPerSecond: 900 },
      { removed: [], decodeTokensPerSecond: 7 },
    ];
    assert.equal(
      learned({ kind: 'speeds', options: { columns } }, { models: measured, precision: 'float32' }),
      7 * 4 * 134_515_008,
    );
  });

  it('of a text is opening the model, for what writing does not take, and holds for every job that computes', () => {
    const speeds = newSpeeds();
    const text: AskedJob = { kind: 'generate', options: { checkpoint: 'smol', prompt: 'A', maxNewTokens: 20 } };
    const opened = (job: AskedJob): Work | undefined => workOf(job, models)!.find(({ kind }) => kind === 'opened');
    const before = speeds.timeOf(opened(text)!);
    assert.equal(before.measured, false);
    // Writing takes two of ten seconds, and starting 0.3. What is left is shared by opening and reading files, as both were guessed.
    const read = (): Time => speeds.timeOf(workOf(text, models)!.find(({ kind }) => kind === 'files')!);
    const guess = before.seconds / read().seconds;
    learn(speeds, { ...text, result: { removed: [], decodeTokensPerSecond: 10 }, seconds: 10 }, models);
    const { seconds, measured } = speeds.timeOf(opened(text)!);
    assert.ok(measured && Math.abs(seconds + read().seconds - 7.7) < 1e-9, String(seconds));
    assert.ok(Math.abs(seconds / read().seconds / guess - 1) < 1e-9);
    // Where writing takes nearly all of the time, the rest may as well be an error.
    learn(speeds, { ...text, result: { removed: [], decodeTokensPerSecond: 2 }, seconds: 11 }, models);
    assert.equal(speeds.timeOf(opened(text)!).seconds, seconds);
    for (const each of [
      { kind: 'score', options: { checkpoint: 'smol', calibration } },
      { kind: 'eval', options: { checkpoint: 'smol', text: calibration } },
    ] as const) {
      assert.deepEqual(opened(each), opened(text), each.kind);
    }
    const bytesOf = (work: Work | undefined): number => (work && 'bytes' in work ? work.bytes : 0);
    const without = bytesOf(opened({ kind: 'bench', options: { checkpoint: 'smol' } }));
    assert.equal(without, 4 * 134_515_008, 'no tokenizer');
    assert.ok(bytesOf(opened(text)) > without);
    const quantized = modelsAt(() => ({ ...smol, bytes: 90e6 }));
    const slower = workOf({ kind: 'bench', options: { checkpoint: 'smol' } }, quantized)!;
    assert.equal(bytesOf(slower.find(({ kind }) => kind === 'opened')), 3.25 * without, 'dequantized');
    for (const each of [
      { kind: 'score', options: { checkpoint: 'smol', criterion: 'magnitude' } },
      { kind: 'verify', options: { output: 'smol' } }, // compares them, which is opening
      { kind: 'prune', options: { checkpoint: 'smol', blocks: [3], out: 'o' } },
    ] as const) {
      assert.equal(opened(each), undefined, each.kind);
    }
  });

  it('on the sample tells nothing of a model: pruning it iteratively does not take two days', async () => {
    const iterating: AskedJob = {
      kind: 'iterate',
      options: { checkpoint: 'smol', calibration, count: 6, method: 'lora', steps: 50, out: 'o' },
    };
    const speeds = newSpeeds();
    const before = timeOf(iterating, models, speeds)!;
    assert.equal(before.measured, false);
    assert.ok(before.seconds < 6 * 3600, String(before.seconds));
    // The sample's story on a busy machine: short jobs, most of whose time is opening files and starting sessions.
    const given = { checkpoint: sample, calibration };
    const story: readonly Omit<Finished, 'result'>[] = [
      { kind: 'score', options: { ...given, samples: 4, length: 64 }, seconds: 3 },
      { kind: 'eval', options: { checkpoint: sample, text: join(sample, 'evaluation.txt'), limit: 4 }, seconds: 2 },
      { kind: 'curve', options: { ...given, most: 3, samples: 4 }, seconds: 4 },
      { kind: 'heal', options: { ...given, remove: [4, 5], tokens: 1024 }, seconds: 8 },
      { kind: 'prune', options: { ...given, criterion: 'ppl', count: 3, out: 'o' }, seconds: 4 },
      { kind: 'retrain', options: { checkpoint: sample, data: [calibration], steps: 2, batch: 4 }, seconds: 9 },
      { kind: 'generate', options: { checkpoint: sample, prompt: 'Once', maxNewTokens: 40 }, seconds: 2 },
      { kind: 'iterate', options: { ...given, count: 2, steps: 2, batch: 4, out: 'o' }, seconds: 30 },
    ];
    for (const each of story) await learnFrom(speeds, { ...each, result: {} });
    const after = timeOf(iterating, models, speeds)!;
    assert.deepEqual(after, before);
  });

  it('of a text of quantized weights counts the memory of what they become, and of the head as it is opened', () => {
    const memory = (bytes: number): number => {
      const quantized = modelsAt(() => ({ ...smol, bytes }));
      const text = { kind: 'generate', options: { checkpoint: 'smol', prompt: 'A' } } as const;
      return memoryOf(text, quantized, { total: 16e9, free: 8e9 })!;
    };
    assert.equal(memory(90e6) - memory(270e6), 4 * (134_515_008 + 49_152 * 576));
  });

  it('of files of quantized weights reckons with 32 bits in a checkpoint, and with what they have in an export', () => {
    const bytesOf = (bytes: number, of: typeof writing): number => {
      const work: Work = of({ model: { ...smol, bytes }, removed: [] });
      return 'bytes' in work ? work.bytes : 0;
    };
    assert.ok(bytesOf(90e6, writing) > 1e9);
    assert.equal(bytesOf(90e6, exported), 180e6);
    assert.equal(bytesOf(270e6, writing), 540e6);
  });
});
