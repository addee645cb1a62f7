/** Modules that go in turn, by what they add for what they save, against full logits in float64. */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { blockBytes, moduleBytes } from '../../../src/engine/checkpoint/reduction';
import { scoreGreedy } from '../../../src/engine/importance/criteria/greedy';
import { scoreModuleSearch } from '../../../src/engine/importance/criteria/search';
import { modulesWork, sweepWork } from '../../../src/engine/importance/cost';
import type { Sweep } from '../../../src/engine/importance/in-turn';
import { type Saves, savesOf } from '../../../src/engine/importance/module-costs';
import { removeWithin } from '../../../src/engine/importance/modules-in-turn';
import {
  fullView,
  type Half,
  type RemovedPart,
  removedJson,
  removedParts,
  type Step,
  stepsOf,
  viewWithout,
} from '../../../src/engine/model/view';
import { loadReference, referenceForward, type ReferenceModel } from '../../reference/forward';
import { referenceDivergence } from '../../reference/measures';
import { assertAllClose, assertClose } from '../../support/close';
import { withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { itFull } from '../../support/shared';
import { tinyCheckpoint } from '../../support/tiny-models';

const BLOCKS = 4;
const ROWS = randomRows(4, 16, 288, 93);
const CLOSE = { absolute: 2e-5 };

/** Parameters of the modules, counted in the files by the names of tensors. */
function countedParameters({ tensors }: ReferenceModel): { attention: number; ffn: number }[] {
  const counts = Array.from({ length: BLOCKS }, () => ({ attention: 0, ffn: 0 }));
  for (const [name, { values }] of tensors) {
    const match = /^model\.layers\.(\d+)\.(self_attn|input_layernorm|mlp|post_attention_layernorm)\b/.exec(name);
    if (match) counts[Number(match[1])][/self|input/.test(match[2]) ? 'attention' : 'ffn'] += values.length;
  }
  return counts;
}

const sizeOf = ({ attention, ffn }: { attention: number; ffn: number }, part?: Half): number =>
  part === undefined ? attention + ffn : { attention, ffn }[part];

/** The KL divergence of a model without parts, over all rows. */
function referenceKl(reference: ReferenceModel): (removed: readonly RemovedPart[]) => number {
  const dense = ROWS.map((ids) => referenceForward(reference, ids).logits);
  return (removed) => {
    const view = viewWithout(BLOCKS, removed);
    const all = ROWS.flatMap(
      (ids, r) => referenceDivergence(dense[r], referenceForward(reference, ids, view).logits).divergences,
    );
    return all.reduce((a, b) => a + b, 0) / all.length;
  };
}

/** The definition: greedy with the whole list measured in each round, among what still fits. */
function referenceChoice(reference: ReferenceModel, size: number, open: readonly number[]): RemovedPart[] {
  const sizes = countedParameters(reference);
  const klOf = referenceKl(reference);
  const gone: RemovedPart[] = [];
  let [left, now] = [size, 0];
  for (;;) {
    const isIn = (block: number, half: Half): boolean =>
      !gone.some((one) => one.block === block && (one.part ?? half) === half);
    const halves = open.flatMap((block): RemovedPart[] => [
      { block, part: 'attention' },
      { block, part: 'ffn' },
    ]);
    const parts = [
      ...halves.filter(({ block, part }) => isIn(block, part!)),
      ...open.filter((block) => isIn(block, 'attention') && isIn(block, 'ffn')).map((block) => ({ block })),
    ];
    const each = parts
      .map((one: RemovedPart) => ({ one, saved: sizeOf(sizes[one.block], one.part) }))
      .filter(({ saved }) => saved <= left)
      .map(({ one, saved }) => ({ one, kl: klOf([...gone, one]), saved }));
    if (each.length === 0) return gone;
    const best = each.reduce((a, b) => ((b.kl - now) / b.saved < (a.kl - now) / a.saved ? b : a));
    gone.push(best.one);
    [left, now] = [left - best.saved, best.kl];
  }
}

describe('modules that go in turn', () => {
  for (const name of ['ragged-plain', 'qwen3-qknorm'] as const) {
    (name === 'ragged-plain' ? it : itFull)(`are those of the definition, and fill the size: ${name}`, async () => {
      const folder = tinyCheckpoint(name);
      const reference = loadReference(folder);
      const sizes = countedParameters(reference);
      const modules: Saves = ({ block, attention, ffn }) =>
        (attention ? sizes[block].attention : 0) + (ffn ? sizes[block].ffn : 0);
      const candidates = [0, 1, 3];
      const count = 1.5;
      const { full, removals } = await withModel(folder, (model) =>
        scoreGreedy(model, ROWS, { count, candidates, objective: 'kl', modules }),
      );
      assertClose(full.kl!, 0, { absolute: 1e-6 }, 'the original');
      const total = sizes.reduce((sum, { attention, ffn }) => sum + attention + ffn, 0);
      const expected = referenceChoice(reference, (count * total) / BLOCKS, candidates);
      assert.ok(expected.length > 1 && sizes.every(({ attention, ffn }) => attention > 0 && ffn > attention / 9));
      assert.deepEqual(
        removals.map(({ block, part }) => (part === undefined ? { block } : { block, part })),
        expected,
      );
      for (const [i, { block, part, saves, kl }] of removals.entries()) {
        assert.equal(saves, sizeOf(sizes[block], part));
        const view = viewWithout(BLOCKS, expected.slice(0, i + 1));
        const kls = ROWS.flatMap(
          (ids) =>
            referenceDivergence(referenceForward(reference, ids).logits, referenceForward(reference, ids, view).logits)
              .divergences,
        );
        assertClose(kl!, kls.reduce((a, b) => a + b, 0) / kls.length, CLOSE, `after removal ${i + 1}`);
      }
    });
  }

  /** A made-up model: what is gone costs what its parts cost, and more or less where both halves of a block are. */
  function priced(blocks: number, price: (module: number) => number, ofBlock: (block: number) => number) {
    const asked: number[] = [];
    const cost = (removed: readonly Step[]): number => {
      const modules = removed.flatMap(({ block, attention, ffn }) => [
        ...(attention ? [2 * block] : []),
        ...(ffn ? [2 * block + 1] : []),
      ]);
      const both = modules.filter((module) => module % 2 === 0 && modules.includes(module + 1));
      return [...modules.map(price), ...both.map((module) => ofBlock(module >> 1))].reduce((a, b) => a + b, 0);
    };
    const halves = stepsOf(fullView(blocks), true);
    const sweep: Sweep = (left, candidates) => {
      asked.push(candidates.length);
      const lacks = (steps: readonly Step[]): Step[] =>
        halves.filter(
          ({ block, attention }) => !steps.some((s) => s.block === block && (attention ? s.attention : s.ffn)),
        );
      const loss = (meanNll: number) => ({ meanNll, ppl: Math.exp(meanNll), tokens: 1, rows: [meanNll] });
      const without = candidates.map((k) => loss(cost(lacks(left.filter((_, i) => i !== k)))));
      return Promise.resolve({ full: loss(cost(lacks(left))), without });
    };
    return { asked, sweep };
  }

  const named = ({ block, part }: RemovedPart): string => (part === undefined ? `${block}` : `${block}.${part}`);

  it('are measured again in full every fifth round; else half of them, and the other module of what went', async () => {
    // The earlier a module, the less it costs; both halves of a block cost 100 more.
    const { asked, sweep } = priced(
      15,
      (module) => module + 1,
      () => 100,
    );
    const saves: Saves = ({ attention, ffn }) => Number(attention) + Number(ffn);
    const { removals } = await removeWithin(fullView(15), { saves, size: 7, sweep }, {});
    assert.deepEqual(
      removals.map(named),
      [0, 1, 2, 3, 4, 5, 6].map((block) => `${block}.attention`),
    );
    // Modules and blocks in the first and sixth round, half and the FFN of what went in the others; no block fits in the last.
    assert.deepEqual(asked, [30, 15, 23, 22, 21, 20, 25, 10, 13]);
  });

  it('go as a block where its halves alone cost more for what they save', async () => {
    const saves: Saves = ({ attention, ffn }) => Number(attention) + 3 * Number(ffn);
    const { sweep } = priced(
      4,
      (module) => (module >> 1 === 2 ? 9 : 10 + module),
      (block) => (block === 2 ? -15 : 0),
    );
    const { removals } = await removeWithin(fullView(4), { saves, size: 8, sweep }, {});
    // 2 costs 3 for 4; then an FFN 11 for 3, an attention 10 for 1.
    assert.deepEqual(removals.map(named), ['2', '0.ffn', '0.attention']);
  });

  it('take the work that is estimated, if half of what goes are attentions', async () => {
    const blocks = 12;
    const folder = tinyCheckpoint('llama-plain', { config: { num_hidden_layers: blocks } });
    const architecture = requireArchitecture(await openCheckpoint(folder));
    const { sweep } = priced(
      blocks,
      (module) => 1 + ((5 * module) % 7),
      () => 0,
    );
    let taken = 0;
    const counted: Sweep = (steps, candidates, job) => {
      const cost = (k: number): number => (steps[k].attention && steps[k].ffn ? 1 : 1 / 2);
      taken += sweepWork(architecture, steps.length, candidates, cost);
      return sweep(steps, candidates, job);
    };
    const saves: Saves = ({ attention, ffn }) => Number(attention) + Number(ffn);
    const { removals } = await removeWithin(fullView(blocks), { saves, size: 6, sweep: counted }, {});
    assert.ok(removals.length > 3);
    const { rounds } = modulesWork(architecture, blocks, [...Array(blocks).keys()], 3);
    assert.ok(taken / rounds > 2 / 3 && taken / rounds < 3 / 2, `${taken} instead of ${rounds}`);
  });

  it('go as long as the divergence keeps to a limit, the cheapest for what they save first', async () => {
    // An attention costs 1, 2, 3, 4 and an FFN 30, 20, 5, 8.
    const { sweep } = priced(
      4,
      (module) => (module % 2 === 0 ? module / 2 + 1 : [30, 20, 5, 8][module >> 1]),
      () => 0,
    );
    const diverging: Sweep = async (...round) => {
      const { full, without } = await sweep(...round);
      return { full: { ...full, kl: full.meanNll }, without: without.map((each) => ({ ...each, kl: each.meanNll })) };
    };
    const saves: Saves = ({ attention, ffn }) => Number(attention) + 3 * Number(ffn);
    const within = (maxKl: number) => removeWithin(fullView(4), { saves, size: 16, maxKl, sweep: diverging }, {});
    const { removals } = await within(15);
    // 2.ffn costs 5/3 for what it saves. 3.ffn costs 8/3, less than the attentions left, but would be 16 with the first three.
    assert.deepEqual(removals.map(named), ['0.attention', '2.ffn', '1.attention', '2.attention', '3.attention']);
    assert.deepEqual(
      removals.map(({ kl }) => kl),
      [1, 6, 8, 11, 15],
    );
    assert.deepEqual((await within(0.5)).removals, []);
  });

  it('may take another amount of the size than they save', async () => {
    const { sweep } = priced(
      3,
      () => 1,
      () => 0,
    );
    const saves: Saves = ({ attention, ffn }) => Number(attention) + 3 * Number(ffn);
    const takes: Saves = ({ attention, ffn }) => 2 * Number(attention) + Number(ffn);
    const { removals } = await removeWithin(fullView(3), { saves, takes, size: 4.5, sweep }, {});
    // FFNs cost least for what they save, and take 3; then no attention fits into 1.5.
    assert.deepEqual(removals.map(named), ['0.ffn', '1.ffn', '2.ffn']);
    assert.deepEqual(
      removals.map((removal) => removal.saves),
      [3, 3, 3],
    );
  });

  it('stop before nothing is left, and where nothing fits', async () => {
    const { sweep } = priced(
      2,
      () => 1,
      () => 0,
    );
    const saves: Saves = ({ attention, ffn }) => Number(attention) + Number(ffn);
    const within = (size: number) => removeWithin(fullView(2), { saves, size, sweep }, {});
    assert.deepEqual((await within(99)).removals.map(named), ['0.attention', '0.ffn', '1.attention']);
    assert.deepEqual(await within(0.5), { full: { meanNll: 0, ppl: 1, tokens: 1, rows: [0] }, removals: [] });
  });
});

describe('a search among modules', () => {
  const candidates = [0, 1, 3];
  const halves = candidates.flatMap((block): RemovedPart[] => [
    { block, part: 'attention' },
    { block, part: 'ffn' },
  ]);
  const subsets = Array.from({ length: 2 ** halves.length }, (_, bits) => halves.filter((__, i) => bits & (1 << i)));

  it('finds the best of all sets that fill the size, which save no less than its greedy start', async () => {
    const folder = tinyCheckpoint('ragged-plain');
    const reference = loadReference(folder);
    const sizes = countedParameters(reference);
    const saves: Saves = ({ block, attention, ffn }) =>
      (attention ? sizes[block].attention : 0) + (ffn ? sizes[block].ffn : 0);
    const count = 1.5;
    const options = { count, candidates, saves, seed: 3, now: () => 0 };
    const found = (await withModel(folder, (model) => scoreModuleSearch(model, ROWS, options))).moduleSearch;

    const size = (count * sizes.reduce((sum, each) => sum + sizeOf(each), 0)) / BLOCKS;
    const savedBy = (set: readonly RemovedPart[]): number =>
      set.reduce((sum, { block, part }) => sum + sizeOf(sizes[block], part), 0);
    const fill = subsets.filter((set) => {
      const others = halves.filter((half) => !set.includes(half));
      const isFull = others.every(({ block, part }) => savedBy(set) + sizeOf(sizes[block], part) > size);
      return savedBy(set) <= size && isFull && savedBy(set) >= 0.99 * found.start.saves;
    });
    const klOf = referenceKl(reference);
    const ranked = fill.map((set) => ({ set, kl: klOf(set) })).sort((a, b) => a.kl - b.kl);
    assert.ok(ranked.length > 3 && ranked[1].kl - ranked[0].kl > 1e-4, JSON.stringify(ranked.slice(0, 3)));
    const [best] = ranked;
    assert.deepEqual(found.removed, removedJson(removedParts(viewWithout(BLOCKS, best.set))));
    assertClose(found.kl, best.kl, CLOSE, 'its KL divergence');
    assert.equal(found.saves, savedBy(best.set));
    assert.equal(found.ended, 'exhausted');
    const greedy = referenceChoice(reference, size, candidates);
    assert.deepEqual(found.start.removed, removedJson(removedParts(viewWithout(BLOCKS, greedy))));
    assert.ok(found.kl <= found.start.kl);
  });

  it('takes nothing that the view lacks already, and leaves a module', async () => {
    const view = viewWithout(BLOCKS, [{ block: 1, part: 'ffn' }, { block: 2 }]);
    const saves: Saves = ({ attention, ffn }) => Number(attention) + Number(ffn);
    const all = { view, saves, seed: 3, count: 2, generations: 2 };
    const found = await withModel(tinyCheckpoint('llama-plain'), (model) => scoreModuleSearch(model, ROWS, all));
    const { removed, saves: saved } = found.moduleSearch;
    assert.ok(
      !removed.some((entry) => ['1', '1.ffn', '2', '2.attention', '2.ffn'].includes(String(entry))),
      removed.join(),
    );
    assert.equal(saved, 4);
    const most = await withModel(tinyCheckpoint('llama-plain'), (model) =>
      scoreModuleSearch(model, ROWS, { ...all, count: 9 }),
    );
    assert.equal(most.moduleSearch.saves, 4, 'one of five modules stays');
  });
});

describe('what a module saves', () => {
  it('in bytes: those of its numbers and of its entries in the header, counted by hand for the sample', async () => {
    const [first] = moduleBytes(await openCheckpoint(resolve(import.meta.dirname, '../../../media/sample')));
    const entry = (name: string, shape: string): number =>
      `"model.layers.0.${name}.weight":{"dtype":"BF16","shape":[${shape}],"data_offsets":[10000000,10000000]},`.length;
    const projections = [
      entry('self_attn.q_proj', '128,128') + entry('self_attn.o_proj', '128,128'),
      entry('self_attn.k_proj', '64,128') + entry('self_attn.v_proj', '64,128'),
      entry('mlp.gate_proj', '384,128') + entry('mlp.up_proj', '384,128') + entry('mlp.down_proj', '128,384'),
    ];
    const [square, grouped, ffn] = projections;
    // BF16: two bytes each.
    assert.deepEqual(first, {
      attention: 2 * (128 + 2 * 128 * 128 + 2 * 64 * 128) + entry('input_layernorm', '128') + square + grouped,
      ffn: 2 * (128 + 3 * 384 * 128) + entry('post_attention_layernorm', '128') + ffn,
    });
  });

  it('in bytes: the tensors of its half of the block, with their entries', async () => {
    const folder = tinyCheckpoint('llama-gqa-tied');
    const halves = moduleBytes(await openCheckpoint(folder));
    const bytes = blockBytes(await openCheckpoint(folder));
    assert.deepEqual(
      halves.map(({ attention, ffn }) => attention + ffn),
      bytes,
    );
    const counted = countedParameters(loadReference(folder));
    const width = bytes[0] / (counted[0].attention + counted[0].ffn);
    // Entries of the header are a small part even of small tensors.
    assertAllClose(
      halves.map(({ attention, ffn }) => attention / ffn),
      counted.map(({ attention, ffn }) => attention / ffn),
      { absolute: 0.1 },
      'attention against FFN',
    );
    assert.ok(width >= 2);
  });

  it('in time: equal for modules of one shape, above 0, and that of a block is the sum', () =>
    withModel(tinyCheckpoint('llama-plain'), async (model) => {
      const saves = await savesOf('time', model, ROWS);
      const attention = stepsOf(fullView(BLOCKS), true).filter((step) => step.attention);
      assert.ok(saves(attention[0]) > 0);
      assert.equal(new Set(attention.map(saves)).size, 1);
      const [block] = stepsOf(fullView(BLOCKS));
      const halves = stepsOf(fullView(BLOCKS), true).slice(0, 2);
      assert.equal(saves(block), saves(halves[0]) + saves(halves[1]));
    }));
});
