/** The choice by energy: its terms against float64, the sets that it compares, and the healing that decides. */
import assert from 'node:assert/strict';
import { scoreEnergy } from '../../../src/engine/importance/criteria/energy';
import { energiesOf, energyOf, pairsOf } from '../../../src/engine/importance/energy';
import { heal } from '../../../src/engine/heal/heal';
import { RememberedCorrections } from '../../../src/engine/heal/remembered';
import { SiteSolver } from '../../../src/engine/heal/site-solver';
import { sitesOf } from '../../../src/engine/heal/sites';
import { inSpreadRowInt8 } from '../../../src/engine/weights/row-int8';
import { viewWithout } from '../../../src/engine/model/view';
import { CancelledError } from '../../../src/engine/errors';
import { loadReference, logSumExp, referenceForward } from '../../reference/forward';
import { assertClose } from '../../support/close';
import { countCalls, replaced } from '../../support/methods';
import { describedModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { tinyCheckpoint } from '../../support/tiny-models';

const BLOCKS = 7;
const folder = tinyCheckpoint('llama-gqa-tied', { config: { num_hidden_layers: BLOCKS } });
const rows = randomRows(10, 16, 288, 41);
const without = (set: readonly number[]) =>
  viewWithout(
    BLOCKS,
    set.map((block) => ({ block })),
  );

/** Mean KL divergence from the original and mean loss on some rows, in plain float64. */
function reference(some: typeof rows): (removed: readonly number[]) => { readonly kl: number; readonly loss: number } {
  const model = loadReference(folder);
  const original = some.map((row) => referenceForward(model, row, without([])).logits);
  return (removed) => {
    let sum = 0;
    let losses = 0;
    let positions = 0;
    some.forEach((row, r) => {
      const { logits } = referenceForward(model, row, without(removed));
      for (let t = 0; t + 1 < row.length; t++, positions++) {
        const [p, q] = [logSumExp(original[r][t]), logSumExp(logits[t])];
        losses += q - logits[t][row[t + 1]];
        original[r][t].forEach((z, word) => (sum += Math.exp(z - p) * (z - p - (logits[t][word] - q))));
      }
    });
    return { kl: sum / positions, loss: losses / positions };
  };
}

describe('choice by energy', () => {
  const model = describedModel(() => folder);
  const candidates = [1, 2, 3, 4, 5];
  const options = { count: 3, candidates, seed: 1 };
  let exact: Awaited<ReturnType<typeof scoreEnergy>>;
  before(async () => {
    exact = await scoreEnergy(model(), rows, options);
  });

  it('ranks sets by single blocks and pairs on some rows, measures the best on all, heals the nearest, and takes one of them', async () => {
    const { full, energy } = exact;
    const [ofAll, ofSome] = [reference(rows), reference(rows.slice(0, 3))];
    assertClose(full.meanNll, ofAll([]).loss, { absolute: 1e-5 }, 'loss of the original');
    const terms = energiesOf(
      candidates.map((block) => ofSome([block]).kl),
      pairsOf(5).map(([i, j]) => ofSome([candidates[i], candidates[j]]).kl),
    );
    const places = (blocks: readonly number[]): number[] => blocks.map((block) => candidates.indexOf(block));
    const { finalists, ranked } = energy;
    assert.equal(ranked, 10);
    assert.equal(finalists.length, 8);
    for (const each of finalists) {
      const name = each.blocks.join();
      assertClose(each.energy, energyOf(terms, places(each.blocks)), { absolute: 2e-5 }, `energy of ${name}`);
      assertClose(each.kl, ofAll(each.blocks).kl, { absolute: 1e-5 }, `KL of ${name}`);
    }
    assert.ok(finalists.every(({ kl }, i) => i === 0 || kl >= finalists[i - 1].kl));
    // Those that were left out are farther away.
    const all = pairsOf(5).map(([i, j]) => candidates.filter((_, k) => k !== i && k !== j));
    const left = all.filter((set) => !finalists.some(({ blocks }) => blocks.join() === set.join()));
    assert.ok(left.every((set) => ofAll(set).kl > finalists[7].kl - 1e-5));
    // Fitted on seven rows, judged on the other three.
    const { heldOut } = await heal(model(), without(finalists[2].blocks), rows.slice(0, 7), {
      method: 'refit',
      heldOut: rows.slice(7),
    });
    assertClose(finalists[2].healed!, heldOut!.after.kl, { absolute: 1e-6 }, 'after healing');
    const least = Math.min(...finalists.map(({ healed }) => healed!));
    assert.equal(energy.healed, least);
    assert.deepEqual(energy.blocks, finalists.find(({ healed }) => healed === least)!.blocks);
    assert.equal(energy.ppl, Math.exp(energy.meanNll));
  });

  it('finds the corrections of sets that begin alike once, with the same numbers', async () => {
    const solved = countCalls(SiteSolver.prototype, 'correct');
    const forgets = replaced(RememberedCorrections.prototype, 'take', () => undefined);
    let every: number;
    try {
      assert.deepEqual(await scoreEnergy(model(), rows, options), exact);
      every = solved.count;
      forgets.restore();
      assert.deepEqual(await scoreEnergy(model(), rows, options), exact);
    } finally {
      forgets.restore();
      solved.restore();
    }
    const { finalists } = exact.energy;
    const sites = finalists.map(({ blocks }) => sitesOf(without(blocks)));
    assert.equal(every, sites.flat().length);
    // A correction follows from the modules that are kept up to its target.
    const names = finalists.flatMap(({ blocks }, i) =>
      sites[i].map(({ module, next }) => [module, next, ...blocks.filter((block) => 2 * block < next)].join()),
    );
    assert.equal(solved.count - every, new Set(names).size);
    assert.ok(new Set(names).size < names.length);
  });

  it('behind a screen has the terms of the screen, and everything else exactly', async () => {
    const weights = (await inSpreadRowInt8(model().weights, 2))!;
    const rounded = model().beside(weights);
    try {
      const screened = await scoreEnergy(model(), rows, { ...options, screening: { model: rounded } });
      assert.deepEqual(
        [exact.energy.pairs, screened.energy.pairs],
        [
          { rows: 3, precision: 'float32' },
          { rows: 3, precision: rounded.precision },
        ],
      );
      let differ = 0;
      for (const each of screened.energy.finalists) {
        const other = exact.energy.finalists.find(({ blocks }) => blocks.join() === each.blocks.join());
        if (other === undefined) continue;
        assert.deepEqual([each.kl, each.healed], [other.kl, other.healed], 'finalists are exact');
        assertClose(each.energy, other.energy, { relative: 0.1 }, 'energy');
        differ += Number(each.energy !== other.energy);
      }
      assert.ok(differ > 3, String(differ));
    } finally {
      await rounded.close();
    }
  });

  it('of one block, or of all that may go, measures what there is', async () => {
    const one = await scoreEnergy(model(), rows, { count: 1, candidates, seed: 1 });
    assert.deepEqual([one.energy.finalists.length, one.energy.blocks.length], [5, 1]);
    assertClose(one.energy.energy, reference(rows.slice(0, 3))(one.energy.blocks).kl, { absolute: 1e-5 }, 'energy');
    const all = await scoreEnergy(model(), rows, { count: 9, candidates: [2, 4], seed: 1 });
    assert.deepEqual(all.energy.blocks, [2, 4]);
  });

  it('where every block is kept, removes none', async () => {
    const { full, energy } = await scoreEnergy(model(), rows, { count: 2, candidates: [], seed: 1 });
    assert.ok(Number.isFinite(full.ppl));
    assert.deepEqual(energy.blocks, []);
    assertClose(energy.kl, 0, { absolute: 1e-6 }, 'nothing is changed');
  });

  it('of a single row heals nothing, since none would be left to judge', async () => {
    const { energy } = await scoreEnergy(model(), rows.slice(0, 1), { count: 2, candidates, seed: 1 });
    assert.equal(energy.healed, undefined);
    assert.equal(energy.kl, Math.min(...energy.finalists.map(({ kl }) => kl)));
  });

  it('can be cancelled', async () => {
    const controller = new AbortController();
    const job = { signal: controller.signal, onProgress: () => controller.abort() };
    await assert.rejects(scoreEnergy(model(), rows, { count: 2, candidates, seed: 1 }, job), CancelledError);
  });
});
