/**
 * Iterative pruning: the golden run of PyTorch and PEFT, the closed forms against `prune --rounds`, limits, and what a
 * cancelled run keeps.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CancelledError } from '../../../src/engine/errors';
import { iterateFolderOf } from '../../../src/engine/iterate/workspace';
import type { IterateSummary } from '../../../src/engine/iterate/result';
import { digestRecord } from '../../../src/jobs/digest/digest';
import { recordIn } from '../../../src/engine/records/record';
import type { GivenFor } from '../../../src/jobs/kinds';
import type { IterateEvent } from '../../../src/protocol/iterate';
import { assertClose, TOLERANCE } from '../../support/close';
import { hashesOf } from '../../support/hashes';
import { runOn } from '../../support/jobs';
import { describeShared, shared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';

const sample = resolve(import.meta.dirname, '../../../media/sample');
const place = (): string => join(temporaryFolder(), 'out');

/** All but what was measured in time, and the folder. */
const numbers = ({ rounds, oneShot, plain, removed }: IterateSummary): unknown => {
  const point = ({
    trace,
    pruned,
    healed,
    steps,
  }: IterateSummary['rounds'][number] | IterateSummary['oneShot'][number]) => [
    trace.map(({ step, loss, lr, gradNorm }) => [step, loss, lr, gradNorm]),
    ...[pruned, healed, steps],
  ];
  return [
    rounds.map(({ block, score, scores, ...rest }) => [block, score, scores, point({ block, score, scores, ...rest })]),
    oneShot.map(point),
    plain,
    removed,
  ];
};

describe('iterative pruning', function () {
  this.timeout(60_000);
  const rows = join(temporaryFolder(), 'rows.json');
  let model: string;
  let toy: Omit<GivenFor<'iterate'>, 'out'>;

  before(() => {
    model = tinyCheckpoint('llama-gqa-tied');
    const row = (seed: number): number[] => Array.from({ length: 16 }, (_, i) => 3 + ((i * 37 + seed * 101) % 250));
    writeFileSync(rows, JSON.stringify({ rows: [0, 1, 2, 3].map(row) }));
    toy = { checkpoint: model, calibration: rows, keepEnds: false, steps: 3, batch: 2, rank: 2, lr: 0.01 };
  });

  it('removes a block, trains and scores again; every round says what it cost', async () => {
    const before = hashesOf(model);
    const events: IterateEvent[] = [];
    const out = place();
    const { result } = await runOn(
      'iterate',
      { ...toy, count: 2, dtype: 'f32', out },
      { emit: (event) => events.push(event) },
    );
    const [plan, ...rounds] = events;
    assert.ok(plan.type === 'plan' && plan.rounds.length === 2 && plan.seconds > 0);
    assert.deepEqual(
      rounds.map(({ type }) => type),
      ['round', 'round'],
    );
    assert.deepEqual(result.removed, result.rounds.map(({ block }) => block).sort());
    for (const { steps, trace, trainingSeconds, recovery, pruned, healed, scores, score } of result.rounds) {
      assert.deepEqual([steps, trace.length], [3, 3]);
      assert.equal(score, Math.min(...scores.map((each) => each.score)));
      assert.equal(recovery.nll, pruned.meanNll - healed.meanNll);
      assert.equal(recovery.nllPerSecond, recovery.nll / trainingSeconds);
    }
    const [first, second] = result.rounds;
    assert.deepEqual(first.pruned, result.plain[0]); // nothing is healed before the first removal
    assert.equal(second.scores.length, first.scores.length - 1);
    assert.equal(existsSync(iterateFolderOf(out)), false);
    assert.deepEqual(hashesOf(model), before);
    const { iterative, cost } = digestRecord((await recordIn(out))!);
    assert.deepEqual(
      iterative?.rounds.map(({ block, healed, nllPerSecond }) => [block, healed.ppl, nllPerSecond]),
      result.rounds.map(({ block, healed, recovery }) => [block, healed.ppl, recovery.nllPerSecond]),
    );
    assert.equal(iterative?.plain.length, 2);
    assert.equal(cost?.length, 2);
    const written = await runOn('eval', { checkpoint: out, calibration: rows });
    assertClose(written.result.meanNll, second.healed.meanNll, TOLERANCE.mergedFloat32, 'the written checkpoint');
  });

  it('the closed forms give the weights of `prune --rounds`', async () => {
    const [out, other] = [place(), place()];
    const given = { checkpoint: model, calibration: rows, keepEnds: false, method: 'fold' as const, heldOut: 0 };
    await runOn('iterate', { ...given, count: 2, out });
    await runOn('prune', { ...given, criterion: 'ppl', count: 2, rounds: 2, out: other });
    assert.equal(dataOf(out), dataOf(other));
  });

  it('ends before a limit is crossed, and says why; with no block within it, nothing is written', async () => {
    const out = place();
    const given = {
      ...toy,
      method: 'none' as const,
      steps: undefined,
      batch: undefined,
      rank: undefined,
      lr: undefined,
    };
    const { result: all } = await runOn('iterate', { ...given, count: 3, out: place() });
    const kl = all.rounds.map(({ healed }) => healed.kl);
    const { result, warnings } = await runOn('iterate', { ...given, maxKl: (kl[0] + kl[1]) / 2, out });
    assert.deepEqual([result.ended, result.rounds.length, result.beyond?.block], ['limit', 1, all.rounds[1].block]);
    assert.match(warnings.join(), /round 2 is no part of the result/);
    const nowhere = place();
    await assert.rejects(runOn('iterate', { ...given, maxKl: kl[0] / 2, out: nowhere }), /No block can be removed/);
    assert.equal(existsSync(nowhere) || existsSync(iterateFolderOf(nowhere)), false);
  });

  it('ends before the accuracy falls below a limit', async () => {
    const own = join(temporaryFolder(), 'own.json');
    // Whatever a model writes, one of the two is right.
    const items = ['.?', '^never$'].map((expected) => ({
      prompt: 'The river',
      expected,
      match: 'regex',
      maxTokens: 1,
    }));
    writeFileSync(own, JSON.stringify({ items }));
    const checkpoint = tinyCheckpoint('llama-gqa-tied', { tokenizer: true });
    const given = { checkpoint, calibration: rows, keepEnds: false, method: 'none' as const, own: [own], count: 1 };
    const { result } = await runOn('iterate', { ...given, minAccuracy: 0.5, out: place() });
    assert.deepEqual([result.rounds[0].accuracy, result.ended], [0.5, 'count']);
    await assert.rejects(runOn('iterate', { ...given, minAccuracy: 0.6, out: place() }), /its accuracy is 0.5, below/);
  });

  it('asks the probes where a limit needs them, of the original too, and refuses where that can do none', async () => {
    const given = {
      calibration: join(sample, 'calibration.txt'),
      samples: 2,
      length: 64,
      method: 'none' as const,
      count: 1,
      maxProbeLoss: 1,
      taskLimit: 2,
    };
    const { result } = await runOn('iterate', { ...given, checkpoint: sample, out: place() });
    const [{ probeLoss, accuracy }] = result.rounds;
    assert.ok(probeLoss! >= 0 && probeLoss! <= 1, String(probeLoss));
    assert.equal(accuracy, undefined, 'no task was asked');
    const checkpoint = tinyCheckpoint('llama-gqa-tied', { tokenizer: true });
    const toy = { ...given, checkpoint, calibration: rows, samples: undefined, length: undefined, keepEnds: false };
    await assert.rejects(runOn('iterate', { ...toy, out: place() }), /says nothing here.*no better than guessing/s);
  });

  it('cancelled: keeps the finished rounds, goes on with the same numbers, and writes them for their count', async () => {
    const given = { ...toy, count: 2, oneShot: true };
    const { result: whole } = await runOn('iterate', { ...given, out: place() });
    const out = place();
    const stop = async (isTime: (label: string) => boolean, resume: boolean): Promise<void> => {
      const abort = new AbortController();
      const onProgress = ({ label }: { label: string }): void => {
        if (isTime(label)) abort.abort();
      };
      const run = runOn('iterate', { ...given, out, resume }, { job: { signal: abort.signal, onProgress } });
      await assert.rejects(run, CancelledError);
      assert.equal(existsSync(out), false);
    };
    await stop((label) => label.startsWith('round 2') && label.includes('step 2 of 3'), false);
    await assert.rejects(runOn('iterate', { ...given, out }), /is already being made/);
    await assert.rejects(runOn('iterate', { ...given, lr: 0.02, out, resume: true }), /learning rate \(0.01 there/);
    await stop((label) => label.startsWith('one-shot, 2 blocks, step 4'), true);
    const { result } = await runOn('iterate', { ...given, out, resume: true });
    assert.deepEqual(numbers(result), numbers(whole));
    // With the count that is reached, what is there is written.
    const shorter = place();
    const abort = new AbortController();
    const emit = (event: IterateEvent): void => {
      if (event.type === 'round') abort.abort();
    };
    await assert.rejects(runOn('iterate', { ...toy, count: 3, out: shorter }, { job: { signal: abort.signal }, emit }));
    const { result: kept } = await runOn('iterate', { ...toy, count: 1, out: shorter, resume: true });
    assert.deepEqual(
      kept.rounds.map(({ healed }) => healed),
      [whole.rounds[0].healed],
    );
  });

  describeShared('on stories260K', () => {
    it('is the golden run: blocks, losses and gradients of every round, and of the one-shot removal', async () => {
      const golden = JSON.parse(readFileSync(shared('golden/stories260K/iterative.json'), 'utf8')) as Golden;
      const calibration = shared('golden/stories260K/calibration.json');
      const { rows: all } = JSON.parse(readFileSync(calibration, 'utf8')) as { rows: number[][] };
      // Each step takes the next four rows of ten, so that five batches come back to the start.
      const batches = Array.from({ length: 5 }, (_, step) => {
        const ids = [0, 1, 2, 3].map((j) => all[(4 * step + j) % all.length]);
        return { ids, labels: ids };
      });
      const data = join(temporaryFolder(), 'batches.json');
      writeFileSync(data, JSON.stringify({ batches }));
      const { result } = await runOn('iterate', {
        ...{ checkpoint: shared('models/stories260K-f32'), calibration, data: [data], out: place() },
        ...{ count: golden.removals, keepEnds: false, oneShot: true, initAdapter: 'formula', dropout: 0 },
        ...{ steps: golden.stepsPerRound, warmup: golden.warmup, lr: golden.lr, rank: golden.rank },
        ...{ alpha: golden.alpha, clip: golden.clip, weightDecay: golden.weightDecay, betas: golden.betas },
      });
      for (const [r, round] of golden.rounds.entries()) {
        const own = result.rounds[r];
        assert.equal(own.block, round.block);
        assert.deepEqual(
          own.scores.map(({ block }) => block),
          round.scores.map(({ block }) => block),
        );
        own.scores.forEach(({ meanNll }, i) => {
          assertClose(meanNll!, round.scores[i].meanNll, TOLERANCE.trace, `round ${r + 1}, score ${i}`);
        });
        checkPoint(own, round, `round ${r + 1}`);
      }
      const [atOnce] = result.oneShot;
      assert.deepEqual(atOnce.removed, golden.oneShot.removed);
      checkPoint(atOnce, golden.oneShot, 'one-shot');
    });
  });
});

/** The tensors of a checkpoint's only file, after its header. */
function dataOf(folder: string): string {
  const bytes = readFileSync(join(folder, 'model.safetensors'));
  return bytes.subarray(8 + Number(bytes.readBigUInt64LE())).toString('base64');
}

interface GoldenPoint {
  readonly meanNllPruned: number;
  readonly meanNllRetrained: number;
  readonly trace: readonly { readonly loss: number; readonly lr: number; readonly gradNorm: number }[];
}

interface Golden {
  readonly removals: number;
  readonly stepsPerRound: number;
  readonly warmup: number;
  readonly lr: number;
  readonly rank: number;
  readonly alpha: number;
  readonly clip: number;
  readonly weightDecay: number;
  readonly betas: readonly number[];
  readonly rounds: readonly (GoldenPoint & {
    readonly block: number;
    readonly scores: readonly { readonly block: number; readonly meanNll: number }[];
  })[];
  readonly oneShot: GoldenPoint & { readonly removed: readonly number[] };
}

function checkPoint(
  { pruned, healed, trace }: IterateSummary['rounds'][number] | IterateSummary['oneShot'][number],
  golden: GoldenPoint,
  what: string,
): void {
  assertClose(pruned.meanNll, golden.meanNllPruned, TOLERANCE.trace, `${what}, pruned`);
  assertClose(healed.meanNll, golden.meanNllRetrained, TOLERANCE.trace, `${what}, healed`);
  assert.equal(trace.length, golden.trace.length);
  for (const [s, step] of golden.trace.entries()) {
    assertClose(trace[s].loss, step.loss, TOLERANCE.trace, `${what}, loss of step ${s + 1}`);
    assertClose(trace[s].gradNorm, step.gradNorm, TOLERANCE.firstGradient, `${what}, gradient of step ${s + 1}`);
    assertClose(trace[s].lr, step.lr, { absolute: 1e-12 }, `${what}, learning rate of step ${s + 1}`);
  }
}
