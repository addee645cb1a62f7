/** The work of a training: of an adapter, of every weight, and of the blocks at the cuts. */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { parametersOf, parametersOfLayer } from '../../../src/engine/checkpoint/parameters';
import { type AskedJob, timeOf, workOf } from '../../../src/estimates/job';
import { learn } from '../../../src/estimates/learn';
import { MachineSpeeds } from '../../../src/estimates/machine';
import { modelsAt } from '../../../src/estimates/models';
import type { Work } from '../../../src/estimates/work';
import type { JsonObject } from '../../../src/format/json';
import { architectureOf } from '../../support/checkpoint-files';

const calibration = resolve(import.meta.dirname, '../../../media/sample/calibration.txt');

const architecture = architectureOf({
  ...{ hidden_size: 576, intermediate_size: 1536, num_hidden_layers: 30, num_attention_heads: 9 },
  ...{ num_key_value_heads: 3, vocab_size: 49152, tie_word_embeddings: true },
});
const models = modelsAt((path) => (path === 'smol' ? { architecture, bytes: 270e6 } : undefined));
const head = 49_152 * 576;

const retrain = (more: JsonObject): AskedJob => ({
  kind: 'retrain',
  options: { checkpoint: 'smol', data: [calibration], heal: 'none', steps: 40, batch: 4, out: 'o', ...more },
});

/** All work of the kind. */
const amount = (job: AskedJob, kind: Work['kind']): number =>
  workOf(job, models)!
    .filter((each) => each.kind === kind && (each.kind !== 'products' || each.work === 'train'))
    .reduce((sum, each) => sum + ('bytes' in each ? each.bytes : 'flops' in each ? each.flops : 0), 0);

describe('the work of a training', () => {
  it('of every weight has half as many products again, moves each weight, and saves its states', () => {
    const [adapter, full] = [retrain({}), retrain({ full: true })];
    const [fewer, more] = [adapter, full].map((job) => amount(job, 'products'));
    assert.ok(more / fewer > 1.4 && more / fewer < 1.5, String(more / fewer)); // evaluations are the same
    const weights = parametersOf(architecture);
    assert.equal(amount(adapter, 'moved'), 0);
    // A step has one micro-batch of 1,024 tokens, which the head takes in four runs.
    assert.equal(amount(full, 'moved'), 4 * 40 * (2 * weights + 4 * head));
    const saved = amount(retrain({ full: true, saveEvery: 40 }), 'files');
    assert.equal(amount(full, 'files') - saved, 19 * 4 * 4 * weights, 'twenty states in place of one');
    assert.equal(amount(retrain({ full: true, batch: 8 }), 'moved'), 4 * 40 * (3 * weights + 7 * head));
  });

  it('of the blocks at the cuts, or the last three, moves their weights alone', () => {
    const block = parametersOfLayer(architecture, 0);
    const moved = (more: JsonObject): number => amount(retrain({ full: true, ...more }), 'moved');
    assert.equal(moved({ where: 'cuts', remove: [4, 5, 20] }), 4 * 40 * 2 * 4 * block);
    assert.equal(moved({ where: 'last3' }), 4 * 40 * 2 * 3 * block);
    // Without a cut the job is refused: all weights are as good an answer.
    assert.equal(moved({ where: 'cuts' }), moved({}));
  });

  it('counts in every round of an iterative pruning, whose model shrinks', () => {
    const iterate = (more: JsonObject): AskedJob => ({
      kind: 'iterate',
      options: {
        checkpoint: 'smol',
        calibration,
        data: [calibration],
        steps: 40,
        batch: 4,
        count: 2,
        out: 'o',
        ...more,
      },
    });
    const block = parametersOfLayer(architecture, 0);
    assert.equal(amount(iterate({ method: 'lora' }), 'moved'), 0);
    assert.equal(
      amount(iterate({ method: 'full' }), 'moved'),
      4 * 40 * (2 * (2 * parametersOf(architecture) - 3 * block) + 8 * head),
    );
  });

  it('of every weight teaches how fast they are moved, and does not spoil the estimate of an adapter', () => {
    const speeds = MachineSpeeds.none(2);
    speeds.setRates('cpu', { flops: 160e9, bytes: 20e9, numbers: 1e9, files: 1e9 });
    const adapter = retrain({ steps: 10 });
    const full = retrain({ steps: 10, batch: 2, full: true, saveEvery: 10 }); // of few tokens, where moving takes much
    const before = timeOf(adapter, models, speeds)!.seconds;
    learn(speeds, { ...adapter, result: {}, seconds: before }, models);
    // A machine that moves weights four times as slowly as it was guessed.
    const work = workOf(full, models)!;
    const moved = work.find(({ kind }) => kind === 'moved')!;
    const real = speeds.time(work).seconds + 3 * speeds.timeOf(moved).seconds;
    learn(speeds, { ...full, result: {}, seconds: real }, models);
    const again = timeOf(adapter, models, speeds)!.seconds;
    const both = timeOf(full, models, speeds)!.seconds;
    assert.ok(Math.abs(both / real - 1) < 0.05, `${both} of ${real}`);
    assert.equal(again, before);
  });
});
