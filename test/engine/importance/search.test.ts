/** Search for a set of blocks: what its divergences are, that it finds the best set of a toy, and how it ends. */
import assert from 'node:assert/strict';
import { CancelledError } from '../../../src/engine/errors';
import { type SearchOptions, scoreSearch } from '../../../src/engine/importance/criteria/search';
import { divergencesOfSets } from '../../../src/engine/importance/set-divergence';
import { LastStates } from '../../../src/engine/model/last-states';
import type { Model } from '../../../src/engine/model/model';
import { fullView, stepsOf, type View, viewWithout } from '../../../src/engine/model/view';
import type { JobOptions } from '../../../src/engine/progress';
import { loadReference, logSumExp, referenceForward } from '../../reference/forward';
import { assertClose } from '../../support/close';
import { describedModel, watchSessions, withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { full } from '../../support/shared';
import { tinyCheckpoint } from '../../support/tiny-models';

const BLOCKS = 7;
const folder = tinyCheckpoint('llama-gqa-tied', { config: { num_hidden_layers: BLOCKS } });
const rows = randomRows(8, 16, 288, 41);
const ALL = fullView(BLOCKS);

function subsets(items: readonly number[], size: number): number[][] {
  if (size === 0) return [[]];
  return items.flatMap((item, i) => subsets(items.slice(i + 1), size - 1).map((rest) => [item, ...rest]));
}

/** Measures sets, and closes what it opened. */
async function measured(
  model: Model,
  sets: readonly (readonly number[])[],
  view: View = ALL,
  some?: readonly number[],
) {
  const teacher = await LastStates.compute(model, rows, stepsOf(ALL), model.memory / 2);
  try {
    return await divergencesOfSets({ model, view, rows, teacher }, sets, some);
  } finally {
    await teacher.close();
  }
}

/** KL(whole ‖ view without the blocks), the mean over all positions but the last of each row, in plain float64. */
function referenceDivergence(removed: readonly number[], of: View = ALL): number {
  const model = loadReference(folder);
  const without = viewWithout(
    BLOCKS,
    removed.map((block) => ({ block })),
  );
  const view = {
    attention: of.attention.map((kept, k) => kept && without.attention[k]),
    ffn: of.ffn.map((kept, k) => kept && without.ffn[k]),
  };
  let sum = 0;
  let positions = 0;
  for (const row of rows) {
    const [teacher, student] = [ALL, view].map((each) => referenceForward(model, row, each).logits);
    for (let t = 0; t + 1 < row.length; t++) {
      const [p, q] = [logSumExp(teacher[t]), logSumExp(student[t])];
      teacher[t].forEach((z, word) => (sum += Math.exp(z - p) * (z - p - (student[t][word] - q))));
      positions++;
    }
  }
  return sum / positions;
}

describe('divergences of sets', () => {
  const model = describedModel(() => folder);
  const sets = [[1, 4], [0, 6], [], [1, 5], [2, 3, 5]];

  it('are those of a float64 forward pass', async () => {
    const found = await measured(model(), sets);
    sets.forEach((set, i) => {
      assertClose(found[i].kl, referenceDivergence(set), { absolute: 1e-5 }, `without ${set.join()}`);
    });
    assert.ok(Math.abs(found[2].kl) < 1e-6, 'nothing removed is nothing changed');
  });

  it('are those of a view that already lacks some parts', async () => {
    const view = viewWithout(BLOCKS, [{ block: 2 }, { block: 3, part: 'ffn' }]);
    const [found] = await measured(model(), [[1, 3]], view);
    assertClose(found.kl, referenceDivergence([1, 3], view), { absolute: 1e-5 }, 'KL');
  });

  it('are the same alone and in company, on rows in any selection', async () => {
    const together = await measured(model(), sets);
    for (const [i, set] of (full ? sets : sets.slice(0, 3)).entries()) {
      const [alone] = await measured(model(), [set]);
      assert.deepEqual(alone, together[i], `without ${set.join()}`);
    }
    const parts = [
      [0, 3, 6],
      [1, 2, 4, 5, 7],
    ];
    const halves = await Promise.all(parts.map((some) => measured(model(), [sets[0]], ALL, some)));
    const mean = halves.reduce((sum, [{ kl }], i) => sum + kl * parts[i].length, 0) / rows.length;
    assertClose(mean, together[0].kl, { absolute: 1e-6 }, 'mean of the parts');
  });

  it('do not depend on the memory budget, nor on a temporary file', async () => {
    const some = full ? sets : sets.slice(0, 2);
    const unlimited = await measured(model(), some);
    const rowBytes = 16 * 64 * 4;
    for (const states of full ? [9, 0.5] : [0.5]) {
      const limited = await withModel(folder, (own) => measured(own, some), { memory: states * rowBytes });
      limited.forEach(({ kl }, i) => assertClose(kl, unlimited[i].kl, { absolute: 1e-6 }, `${states} states`));
    }
  });

  it('open each block once for all sets of a group', async () => {
    const teacher = await LastStates.compute(model(), rows, stepsOf(ALL), model().memory / 2);
    const sessions = watchSessions(model());
    await divergencesOfSets({ model: model(), view: ALL, rows, teacher }, subsets([1, 2, 3, 4, 5, 6], 2));
    const heads = 2; // the vocabulary is one piece: the teacher's head and the others'
    assert.equal(sessions.opened, BLOCKS + heads);
    await teacher.close();
    assert.equal(sessions.open, 0);
  });
});

describe('search', () => {
  const model = describedModel(() => folder);
  const kept = [0, 6];
  const candidates = [1, 2, 3, 4, 5];
  const options = { count: 2, candidates, seed: 7, now: () => 0 };
  const search = async (more: Partial<SearchOptions> = {}, job?: JobOptions) =>
    (await scoreSearch(model(), rows, { ...options, ...more }, job)).search;

  it('finds the best of all sets of a toy, without a kept block', async () => {
    for (const count of full ? [1, 2, 3] : [2]) {
      const found = await search({ count });
      const sets = subsets(candidates, count);
      const all = await measured(model(), sets);
      const least = all.reduce((best, { kl }, i) => (kl < all[best].kl ? i : best), 0);
      assert.deepEqual(found.blocks, sets[least]);
      assert.equal(found.kl, all[least].kl);
      assert.equal(found.ppl, Math.exp(all[least].meanNll));
      assert.equal(found.ended, 'exhausted');
      assert.ok(!found.blocks.some((block) => kept.includes(block)));
      assert.equal(found.trajectory.at(-1)!.kl, found.kl);
      assert.deepEqual(found.trajectory[0], { generation: 0, kl: found.start.kl });
    }
  });

  it('has the same generations for the same seed, and stops after the given number', async () => {
    const [one, again, more] = [await search({ generations: 1 }), await search({ generations: 1 }), await search()];
    assert.deepEqual(one, again);
    assert.equal(one.ended, 'generations');
    assert.deepEqual(one.trajectory, more.trajectory.slice(0, 2));
  });

  it('stops when its time is over, within a generation too', async () => {
    let time = 0;
    const job = { onProgress: () => (time += 1) };
    const none = await search({ now: () => time, budget: 0.5 }, job);
    assert.deepEqual([none.ended, none.trajectory.length, none.blocks], ['time', 1, none.start.blocks]);
    time = 0;
    const reports: number[] = [];
    await search(
      { now: () => time, budget: 1e9, generations: 1 },
      { onProgress: ({ done }) => (time += 1) && reports.push(done) },
    );
    const some = await search({ now: () => time, budget: reports.length }, job);
    assert.equal(some.ended, 'time');
    assert.ok(some.trajectory.length >= 2, `${some.trajectory.length}`);
  });

  it('scores the view that it is given', async () => {
    const view = viewWithout(BLOCKS, [{ block: 3 }]);
    const found = await search({ view });
    assert.ok(!found.blocks.includes(3));
    const sets = subsets([1, 2, 4, 5], 2);
    const all = await measured(model(), sets, view);
    assert.equal(found.kl, Math.min(...all.map(({ kl }) => kl)));
  });

  it('removes fewer blocks where the others are kept, and has nothing to search', async () => {
    const found = await search({ count: 4, candidates: [2, 4] });
    assert.deepEqual([found.blocks, found.ended, found.sets], [[2, 4], 'exhausted', 1]);
  });

  it('is cancelled like every job before it has a set', async () => {
    const abort = new AbortController();
    const job = { signal: abort.signal, onProgress: () => abort.abort() };
    await assert.rejects(search({}, job), CancelledError);
  });

  it('gives the best set so far when it is cancelled later, and leaves no session open', async () => {
    const sessions = watchSessions(model());
    const stopIn = async (generation: number) => {
      const abort = new AbortController();
      const onProgress = ({ label }: { label: string }): void => {
        if (label.startsWith(`generation ${generation}`)) abort.abort();
      };
      return search({}, { signal: abort.signal, onProgress });
    };
    const [first, second] = [await stopIn(1), await stopIn(2)];
    assert.deepEqual([first.ended, first.trajectory.length, first.blocks], ['cancelled', 1, first.start.blocks]);
    assert.deepEqual([second.ended, second.trajectory.length], ['cancelled', 2]);
    const [whole] = [await search({ generations: 1 })];
    assert.deepEqual([second.blocks, second.kl], [whole.blocks, whole.kl]);
    assert.equal(sessions.open, 0);
  });
});
