/** Races: what does not drop out has the numbers of a sweep without a race, and what drops out is not among the wanted parts. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { scoreGreedy } from '../../../src/engine/importance/criteria/greedy';
import * as kl from '../../../src/engine/importance/criteria/kl';
import * as ppl from '../../../src/engine/importance/criteria/ppl';
import { loadCalibration } from '../../../src/engine/importance/calibration';
import { Racer } from '../../../src/engine/importance/raced-sweep';
import { type Options, runCriterion } from '../../../src/engine/importance/run-criterion';
import { DIVERGENCES } from '../../../src/engine/importance/sweep-measure';
import { withTeacher } from '../../../src/engine/importance/teacher';
import { fullView, stepsOf } from '../../../src/engine/model/view';
import { optionalTokenizer } from '../../../src/engine/tokenizer/optional';
import type { TokenRows } from '../../../src/engine/model/forward';
import { assertClose } from '../../support/close';
import { describedModel, withScreen } from '../../support/model';
import { itFull } from '../../support/shared';

const SAMPLE = 'media/sample';
const TEXT = join(SAMPLE, 'calibration.txt');
const race = { confidence: 0.999, exact: 2 };
/** Chunks of other rows are other products: the last digits of float32. */
const NEAR = { relative: 1e-5, absolute: 1e-6 };

describe('a race of the sample model', () => {
  const model = describedModel(() => SAMPLE);
  let rows: TokenRows;

  before(async () => {
    const checkpoint = await openCheckpoint(SAMPLE);
    const tokenizer = await optionalTokenizer(checkpoint.home, {});
    const { vocabulary } = model().architecture;
    ({ rows } = await loadCalibration(TEXT, { samples: 10, length: 96, seed: 3, vocabulary }, tokenizer));
  });

  for (const [name, criterion] of [
    ['perplexity', ppl],
    ['KL divergence', kl],
  ] as const) {
    it(`by ${name}`, async () => {
      const plain = await criterion.scoreBlocks(model(), rows, { seed: 1 });
      const raced = await criterion.scoreBlocks(model(), rows, { seed: 1, race });
      assert.deepEqual(raced.order.slice(0, 2), plain.order.slice(0, 2));
      const dropped = raced.blocks.filter(({ readRows }) => readRows !== undefined);
      assert.ok(dropped.length > 0 && raced.race?.dropped === dropped.length);
      assert.ok(raced.race.read < 1 && raced.race.wanted === 2);
      for (const [i, block] of raced.blocks.entries()) {
        const { jointLow, jointHigh, score } = plain.blocks[i];
        if (block.readRows === undefined) {
          assertClose(block.score, score, NEAR, `block ${i}`);
          assertClose(block.jointLow, jointLow, NEAR, `block ${i}: low`);
          continue;
        }
        assert.ok([2, 4, 8].includes(block.readRows) && block.rows.length === block.readRows);
        assert.ok(block.low === undefined && block.pairedLow > block.jointLow && block.pairedHigh < block.jointHigh);
        // Of intervals that hold for all blocks at once in 95 % of texts, one may miss.
        const off = Math.abs(block.score - score) / (block.jointHigh - block.jointLow);
        assert.ok(off < 0.75, `block ${i}: ${block.score}, ${score}`);
        assert.ok(block.jointLow < jointHigh && jointLow < block.jointHigh);
      }
    });
  }

  it('with a screen: what is exact has the bits of float32', async () => {
    await withScreen(model(), async ({ model: rounded }) => {
      const screening = { model: rounded, exact: 2 };
      const plain = await kl.scoreBlocks(model(), rows, { seed: 1 });
      const raced = await kl.scoreBlocks(model(), rows, { seed: 1, screening, race });
      assert.deepEqual(raced.order.slice(0, 2), plain.order.slice(0, 2));
      const exact = raced.blocks.filter(({ precision }) => precision === 'float32');
      assert.ok(exact.length >= 2);
      for (const { index, ...block } of exact) assert.deepEqual({ index, ...block }, plain.blocks[index]);
      const dropped = raced.blocks.filter(({ readRows }) => readRows !== undefined);
      assert.ok(dropped.length > 0 && dropped.every(({ margin }) => margin !== undefined));
    });
  });

  it('of modules, and of blocks that are kept: these read the first rows only', async () => {
    const plain = await ppl.scoreModules(model(), rows, { seed: 1 });
    const raced = await ppl.scoreModules(model(), rows, { seed: 1, race });
    assert.deepEqual(raced.order.slice(0, 2), plain.order.slice(0, 2));
    assert.ok(raced.modules.some(({ readRows }) => readRows !== undefined));
    const kept = new Set([0, 5]);
    const without = await ppl.scoreBlocks(model(), rows, { seed: 1, race: { ...race, kept } });
    for (const block of kept) assert.equal(without.blocks[block].readRows, 2);
  });

  it('in turn, screened or not', async () => {
    const few = rows.slice(0, 6);
    const turn = { count: 2, objective: 'kl', race: { confidence: 0.999 } } as const;
    const plain = await scoreGreedy(model(), few, { count: 2, objective: 'kl' });
    const raced = await scoreGreedy(model(), few, turn);
    assert.deepEqual(
      raced.removals.map(({ block }) => block),
      plain.removals.map(({ block }) => block),
    );
    raced.removals.forEach(({ kl: found }, i) => assertClose(found!, plain.removals[i].kl!, NEAR, `round ${i + 1}`));
    assert.ok(raced.race!.dropped > 0 && raced.race!.read < 1);
    await withScreen(model(), async ({ model: rounded }) => {
      const screened = await scoreGreedy(model(), few, { ...turn, screening: { model: rounded } });
      assert.deepEqual(
        screened.removals.map(({ block }) => block),
        plain.removals.map(({ block }) => block),
      );
      assert.ok(screened.race!.dropped > 0);
    });
  });

  itFull('in turn by modules', async () => {
    const few = rows.slice(0, 6);
    const modules = ({ attention, ffn }: { attention: boolean; ffn: boolean }): number =>
      Number(attention) + 2 * Number(ffn);
    const sizes = { count: 2, objective: 'kl', modules } as const;
    const [all, some] = [
      await scoreGreedy(model(), few, sizes),
      await scoreGreedy(model(), few, { ...sizes, race: { confidence: 0.999 } }),
    ];
    assert.deepEqual(
      some.removals.map(({ block, part }) => [block, part]),
      all.removals.map(({ block, part }) => [block, part]),
    );
  });

  it('holds its sessions only as long as it runs, and estimates contain the truth', async () => {
    const steps = stepsOf(fullView(12));
    const all = [...steps.keys()];
    const job = {};
    await withTeacher(model(), rows, [1], job, async (teacher) => {
      const racer = new Racer({ measure: DIVERGENCES, model: model(), teacher, rows, race });
      const { without, out, full } = await racer.sweep(steps, all, { wanted: 1 }, job);
      const plain = await DIVERGENCES.sweep(model(), teacher, rows, steps, all, job);
      const mean = (values: Float64Array): number => values.reduce((sum, each) => sum + each, 0) / values.length;
      assertClose(mean(full.divergences), mean(plain.full.divergences), { absolute: 1e-6 }, 'the model');
      assert.ok(out!.size > 0);
      for (const [k, { mean: found, half, rows: read }] of out!) {
        const truth = mean(plain.without[k].divergences);
        assert.ok(Math.abs(found - truth) <= half, `block ${k}: ${found} ± ${half}, ${truth}`);
        assert.equal(without[k].divergences.length, read * 95);
      }
    });
  });

  it('is left out where it saves nothing, unless the confidence is given', async () => {
    const checkpoint = await openCheckpoint(SAMPLE);
    const options: Options = {
      calibration: TEXT,
      seed: 3,
      norm: 'l1',
      reduction: 'sum',
      samples: 10,
      length: 48,
      race: true,
    };
    const scope = { exact: 2 };
    const small = await runCriterion(checkpoint, 'kl', options, {}, scope);
    assert.equal(small.result.race, undefined);
    const asked = await runCriterion(checkpoint, 'kl', { ...options, confidence: 0.99 }, {}, scope);
    assert.equal(asked.result.race?.confidence, 0.99);
    const not = await runCriterion(checkpoint, 'kl', { ...options, confidence: 0.99, race: false }, {}, scope);
    assert.equal(not.result.race, undefined);
  });
});
