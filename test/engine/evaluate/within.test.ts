/** Curves by divergence from the unpruned model, and the number of blocks that a limit allows. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ComparedPoint, withinDivergence } from '../../../src/engine/evaluate/within';
import { digestRecord } from '../../../src/jobs/digest/digest';
import { newRecord } from '../../../src/engine/records/record';
import { assertClose } from '../../support/close';
import { runOn } from '../../support/jobs';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';

const at = (count: number, kl: number): ComparedPoint => {
  const removed = Array.from({ length: count }, (_, block) => block);
  return { count, removed, kl, top1: 1, ppl: 1, meanNll: 0, parameters: 1 };
};

describe('curves by divergence', function () {
  this.timeout(60_000);
  const rows = join(temporaryFolder(), 'rows.json');
  let model: string;

  before(() => {
    model = tinyCheckpoint('llama-gqa-tied');
    const row = (seed: number): number[] => Array.from({ length: 16 }, (_, i) => 3 + ((i * 37 + seed * 101) % 250));
    writeFileSync(rows, JSON.stringify({ rows: [0, 1, 2].map(row) }));
  });

  it('a limit allows the blocks before the first point above it', () => {
    const points = [at(0, 0), at(1, 0.1), at(2, 0.4), at(3, 0.3)];
    assert.deepEqual(withinDivergence(points, 0.35), { maxKl: 0.35, count: 1, removed: [0], kl: 0.1 });
    assert.equal(withinDivergence(points, 0.4).count, 3);
    assert.equal(withinDivergence(points, 0.05).count, 0);
    assert.equal(withinDivergence([at(0, 0), at(1, NaN)], 9).count, 0);
  });

  it('has the numbers of the criterion kl, and the perplexities of a curve without it', async () => {
    const given = { checkpoint: model, calibration: rows, keepEnds: false };
    const { result: scores } = await runOn('score', { ...given, criterion: 'kl' });
    const { result: curve } = await runOn('curve', { ...given, criterion: 'kl', measure: 'kl' });
    const { result: plain } = await runOn('curve', { ...given, criterion: 'kl' });
    const [whole, first] = curve.points;
    const inputs = [{ role: 'model', name: 'toy' }];
    const record = newRecord({ kind: 'curve', inputs, settings: {}, results: curve, started: new Date() });
    assert.equal(digestRecord(record).curve?.points[1].kl, first.kl);
    assertClose(whole.kl!, 0, { absolute: 1e-6 }, 'the unpruned model');
    assert.equal(whole.top1, 1);
    assertClose(
      first.kl!,
      scores.blocks!.find(({ index }) => index === first.removed[0])!.kl!,
      { absolute: 1e-6 },
      'KL',
    );
    curve.points.forEach(({ meanNll }, i) => {
      assertClose(meanNll, plain.points[i].meanNll, { absolute: 1e-6 }, `loss of point ${i}`);
    });
    // Halfway between two points: curve, score and prune find the same blocks.
    const maxKl = (curve.points[1].kl! + curve.points[2].kl!) / 2;
    const [limited, scored] = [
      await runOn('curve', { ...given, criterion: 'kl', maxKl }),
      await runOn('score', { ...given, criterion: 'kl', maxKl }),
    ];
    assert.deepEqual(limited.result.within?.removed, first.removed);
    assert.deepEqual(scored.result.within, limited.result.within);
    const out = join(temporaryFolder(), 'out');
    const pruned = await runOn('prune', { ...given, criterion: 'kl', maxKl, out });
    assert.deepEqual(pruned.result.removed, first.removed);
    const none = runOn('prune', { ...given, criterion: 'kl', maxKl: first.kl! / 2, out: `${out}-none` });
    await assert.rejects(none, /No block can be removed within the limit/);
  });
});
