/**
 * Removal by what healing leaves: the sweep with healing gives the numbers of models that are healed one by one, with
 * new weights; and the removals are those of the definition.
 */
import assert from 'node:assert/strict';
import { CancelledError } from '../../../src/engine/errors';
import { heal } from '../../../src/engine/heal/heal';
import { scoreGreedy } from '../../../src/engine/importance/criteria/greedy';
import { scoreHealed, shortlist } from '../../../src/engine/importance/criteria/healed';
import { DenseStream } from '../../../src/engine/importance/dense-stream';
import { Folder } from '../../../src/engine/importance/fold';
import { HealedSweep } from '../../../src/engine/importance/healed-sweep';
import { innerTargets } from '../../../src/engine/importance/healed-walk';
import { removeInTurn } from '../../../src/engine/importance/in-turn';
import { KnownFolds } from '../../../src/engine/importance/known-folds';
import type { Saves } from '../../../src/engine/importance/module-costs';
import type { Model } from '../../../src/engine/model/model';
import {
  fullView,
  removedParts,
  type RemovedPart,
  stepsOf,
  type View,
  viewWithout,
} from '../../../src/engine/model/view';
import type { JobOptions } from '../../../src/engine/progress';
import { assertClose } from '../../support/close';
import { calibrationRows, checkpointFolder } from '../../support/golden';
import { countCalls, replaced } from '../../support/methods';
import { withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { full, itFull } from '../../support/shared';
import { tinyCheckpoint, type TinyName } from '../../support/tiny-models';

const BLOCKS = 6;
const ROWS = randomRows(44, 16, 288, 97); // two chunks
const CLOSE = { absolute: 1e-5 };

const toy = (name: TinyName): string => tinyCheckpoint(name, { config: { num_hidden_layers: BLOCKS } });

interface Likeness {
  readonly kl: number;
  readonly meanNll: number;
}

/** What a fold leaves of a view, by new weights. */
async function foldedOf(model: Model, view: View, rows = ROWS, target = model): Promise<Likeness> {
  const { fit } = await heal(model, view, rows, { method: 'fold', target });
  return fit!.after;
}

const without = (view: View, ...parts: RemovedPart[]): View =>
  viewWithout(view.attention.length, [...removedParts(view), ...parts]);

function assertLike(found: { kl?: number; meanNll: number }, expected: Likeness, what: string): void {
  assertClose(found.kl!, expected.kl, CLOSE, `${what}: KL`);
  assertClose(found.meanNll, expected.meanNll, CLOSE, `${what}: mean loss`);
}

/** Measures a view and each of its variants both ways; every second one unless it is test:full. */
async function compare(model: Model, view: View, teacher = model, split = false): Promise<void> {
  const steps = stepsOf(view, split);
  const candidates = [...steps.keys()];
  const dense = await DenseStream.compute(teacher, ROWS, innerTargets(steps), model.memory / 2);
  const sweep = await HealedSweep.open(model, dense, ROWS);
  const { full: itself, without: variants } = await sweep.measure(steps, candidates);
  await sweep.close();
  await dense.close();
  if (removedParts(view).length > 0)
    assertLike(itself, await foldedOf(model, view, ROWS, teacher), 'nothing more removed');
  else if (teacher === model) assertClose(itself.kl, 0, { absolute: 1e-6 }, 'KL of the whole model');
  for (const [k, { block, attention }] of steps.entries()) {
    if (!full && k % (split ? 3 : 2) !== steps.length % 2) continue;
    const part = split ? { part: attention ? ('attention' as const) : ('ffn' as const) } : {};
    const folded = await foldedOf(model, without(view, { block, ...part }), ROWS, teacher);
    assertLike(variants[k], folded, `without ${split ? `step ${k}` : `block ${block}`}`);
  }
}

describe('the sweep with healing gives what healing with new weights gives', function () {
  this.timeout('2m');
  const whole = fullView(BLOCKS);
  const cases: readonly (readonly [title: string, name: TinyName, removed: readonly RemovedPart[]])[] = [
    ['of the whole model', 'llama-gqa-tied', []],
    ['with biases, without a block', 'llama-bias', [{ block: 3 }]],
    ['without the first and the last block', 'qwen3-qknorm', [{ block: 0 }, { block: 5 }]],
    ['without two runs of blocks', 'mistral-window', [{ block: 1 }, { block: 3 }, { block: 4 }]],
    [
      'without single modules',
      'llama-plain',
      [{ block: 0, part: 'ffn' }, { block: 2, part: 'attention' }, { block: 3, part: 'ffn' }, { block: 4 }],
    ],
  ];
  for (const [title, name, removed] of cases) {
    (name === 'qwen3-qknorm' ? it : itFull)(`${title}, ${name}`, () =>
      withModel(toy(name), (model) => compare(model, without(whole, ...removed))),
    );
  }

  it('of single modules, without a block and a module', () =>
    withModel(toy('llama-gqa-tied'), (model) =>
      compare(model, without(whole, { block: 1 }, { block: 3, part: 'ffn' }), model, true),
    ));

  it('with little memory, one variant at a time and streams in files', () =>
    withModel(toy('llama-plain'), (model) => compare(model, without(whole, { block: 2 })), { memory: 2 ** 16 }));

  it('of a model with changed weights, towards the model before the change', () =>
    withModel(toy('llama-plain'), async (teacher) => {
      const values = (await teacher.weights.read({ layer: 1, name: 'down' })).map((w) => -w);
      const changes = [
        [
          [
            { layer: 1, name: 'down' },
            { kind: 'replace', values },
          ] as const,
        ],
      ];
      await withModel(toy('llama-plain'), (model) => compare(model, without(whole, { block: 4 }), teacher), {
        changes,
      });
    }));
});

it('modules and blocks go in turn by what their folds leave more, for what they save', async function () {
  this.timeout('2m');
  await withModel(toy('qwen3-qknorm'), async (model) => {
    const saves: Saves = ({ attention, ffn }) => Number(attention) + 2 * Number(ffn);
    const rows = ROWS.slice(0, 8);
    // 1.4 mean blocks are 4.2.
    const { removals } = await scoreHealed(model, rows, { count: 1.4, candidates: [1, 3], modules: saves });
    let [view, left, now] = [fullView(BLOCKS), 4.2, 0];
    for (const [i, { block, part, ...found }] of removals.entries()) {
      const each = [];
      for (const one of [1, 3].flatMap((at) => [{ at, half: 'attention' }, { at, half: 'ffn' }, { at }] as const)) {
        const half = 'half' in one ? one.half : undefined;
        const saved = half === undefined ? 3 : half === 'ffn' ? 2 : 1;
        const isThere = half === undefined ? view.attention[one.at] && view.ffn[one.at] : view[half][one.at];
        if (!isThere || saved > left) continue;
        const removed: RemovedPart = half === undefined ? { block: one.at } : { block: one.at, part: half };
        const folded = await foldedOf(model, without(view, removed), rows);
        each.push({ removed, saved, price: (folded.kl - now) / saved, ...folded });
      }
      const best = each.reduce((a, b) => (b.price < a.price ? b : a));
      assert.deepEqual(part === undefined ? { block } : { block, part }, best.removed, `removal ${i + 1}`);
      assertLike(found, best, `removal ${i + 1}`);
      [view, left, now] = [without(view, best.removed), left - best.saved, best.kl];
    }
    assert.ok(removals.length >= 2 && left < 1);
  });
});

/** Rounds on the sample model. */
const ROUNDS = full ? 4 : 1;

let ofSample: ReturnType<typeof scoreHealed> | undefined;

/** Removals of the sample model's blocks but the first; computed once. */
function healedSample(): ReturnType<typeof scoreHealed> {
  return (ofSample ??= withModel(checkpointFolder('sample'), (model) =>
    scoreHealed(model, calibrationRows('sample'), {
      count: ROUNDS,
      candidates: [...model.architecture.layers.keys()].slice(1),
    }),
  ));
}

describe('what the folds of a round leave, from one pass', function () {
  this.timeout('2m');
  /** Σ|target − stream|² / Σ|target|² of the fold that a healing makes for the cut of a candidate. */
  async function leftByHealing(model: Model, view: View, block: number, dense: DenseStream): Promise<number> {
    const { steps } = await heal(model, without(view, { block }), ROWS, { method: 'fold', measure: false });
    const fold = steps.find(({ removed }) => removed.some((part) => part === block))!;
    const after = [...view.attention.keys()].find((kept) => kept > block && view.attention[kept]) ?? BLOCKS;
    return fold.errorAfter! / (await sizeAt(dense, 2 * after));
  }

  async function sizeAt(dense: DenseStream, module: number, less?: readonly Float32Array[]): Promise<number> {
    let sum = 0;
    for (const chunk of dense.chunks.keys()) {
      const size = dense.chunks[chunk] * ROWS[0].length * dense.model.architecture.hidden;
      const data = await dense.read(module, chunk, new Float32Array(size));
      for (const [i, value] of data.entries()) sum += (value - (less?.[chunk][i] ?? 0)) ** 2;
    }
    return sum;
  }

  /** The mean over tokens of |target − stream|² / |target|². */
  async function meanPerToken(dense: DenseStream, module: number, streams: readonly Float32Array[]): Promise<number> {
    const { hidden } = dense.model.architecture;
    const shares: number[] = [];
    for (const [chunk, stream] of streams.entries()) {
      const target = await dense.read(module, chunk, new Float32Array(stream.length));
      for (let at = 0; at < stream.length; at += hidden) {
        const token = [...target.subarray(at, at + hidden)];
        const error = token.reduce((sum, value, i) => sum + (value - stream[at + i]) ** 2, 0);
        shares.push(error / token.reduce((sum, value) => sum + value ** 2, 0));
      }
    }
    return shares.reduce((a, b) => a + b, 0) / shares.length;
  }

  for (const memory of [undefined, 2 ** 16]) {
    (memory === undefined ? itFull : it)(
      `is what healings one by one leave${memory === undefined ? '' : ', with streams in files'}`,
      () =>
        withModel(
          toy('llama-bias'),
          async (model) => {
            const view = without(fullView(BLOCKS), { block: 3 });
            const steps = stepsOf(view);
            const dense = await DenseStream.compute(model, ROWS, [], model.memory / 2);
            const sweep = await HealedSweep.open(model, dense, ROWS);
            const left = await sweep.leftOver(steps, [...steps.keys()]);
            const chunks = await Promise.all(
              dense.chunks.map((count, chunk) =>
                dense.read(0, chunk, new Float32Array(count * ROWS[0].length * model.architecture.hidden)),
              ),
            );
            const embedded = (await sizeAt(dense, 2, chunks)) / (await sizeAt(dense, 2));
            assertClose(left[0].ofAll, embedded, { relative: 1e-5 }, 'without the first block nothing is folded');
            for (const [k, { block }] of [...steps.entries()].slice(1)) {
              assertClose(
                left[k].ofAll,
                await leftByHealing(model, view, block, dense),
                { relative: 1e-4 },
                `block ${block}`,
              );
            }
            assertClose(left[0].ofEach, await meanPerToken(dense, 2, chunks), { relative: 1e-5 }, 'of each token');
            assert.deepEqual(await sweep.leftOver(steps, [2, 4]), [left[2], left[4]]);
            await sweep.close();
            await dense.close();
          },
          { memory },
        ),
    );
  }

  it('gives the candidates that are low in one measure or the other', () => {
    const left = [
      [5, 1],
      [1, 9],
      [2, 8],
      [9, 2],
      [7, 7],
    ].map(([ofAll, ofEach]) => ({ ofAll, ofEach }));
    assert.deepEqual(shortlist(left, 2), [0, 1]);
    assert.deepEqual(shortlist(left, 4), [0, 1, 2, 3]);
    assert.deepEqual(
      shortlist([{ ofAll: NaN, ofEach: NaN }, ...left.slice(1)], 4),
      [1, 2, 3, 4],
      'not finite comes last',
    );
  });

  it('picks candidates among which is the one that measuring all of them picks', () =>
    withModel(checkpointFolder('sample'), async (model) => {
      const rows = calibrationRows('sample');
      const steps = stepsOf(fullView(model.architecture.layers.length));
      const candidates = [...steps.keys()].slice(1);
      const dense = await DenseStream.compute(model, rows, [], model.memory / 2);
      const sweep = await HealedSweep.open(model, dense, rows);
      const all = await removeInTurn(
        steps,
        { count: ROUNDS, candidates, sweep: (some, open, now) => sweep.measure(some, open, now) },
        Array<JobOptions>(ROUNDS).fill({}),
        {},
      );
      await sweep.close();
      await dense.close();
      assert.deepEqual(await healedSample(), all);
    }));
});

describe('removal by what healing leaves', function () {
  this.timeout('2m');
  it('removes, one after another, the candidate after which healing leaves least', () =>
    withModel(toy('llama-bias'), async (model) => {
      const candidates = full ? [0, 2, 3, 5] : [0, 2, 5];
      const count = candidates.length - 1;
      const { removals } = await scoreHealed(model, ROWS, { count, candidates });
      let view = fullView(BLOCKS);
      for (const { block, ...found } of removals) {
        const left = candidates.filter((candidate) => view.attention[candidate]);
        const each = [];
        for (const candidate of left) {
          each.push({ candidate, ...(await foldedOf(model, without(view, { block: candidate }))) });
        }
        const best = each.reduce((a, b) => (b.kl < a.kl ? b : a));
        assert.equal(block, best.candidate);
        assertLike(found, best, `without block ${block}`);
        view = without(view, { block });
      }
      assert.equal(removals.length, count);
    }));

  for (const [name, kind] of [
    ['llama-bias', 'one factor for all folds of a module that are sought at once'],
    ['gemma3-pattern', 'with norms behind, one for each fold'],
  ] as const) {
    it(`factors no fold twice, with the same numbers: ${kind}`, () =>
      withModel(toy(name), async (model) => {
        const run = () => scoreHealed(model, ROWS, { count: 3, candidates: [0, 1, 2, 3, 4, 5] });
        const factored = countCalls(Folder.prototype, 'factor');
        const asked = new Map<string, number>();
        const forgets = [
          replaced(KnownFolds.prototype, 'leftOver', () => undefined),
          replaced(KnownFolds.prototype, 'correction', (fold) => {
            asked.set(fold, (asked.get(fold) ?? 0) + 1);
            return undefined;
          }),
        ];
        try {
          const every = await run();
          forgets.forEach(({ restore }) => restore());
          const before = factored.count;
          assert.deepEqual(await run(), every);
          const after = factored.count - before;
          const folds = [...asked.values()].reduce((a, b) => a + b, 0);
          if (name === 'gemma3-pattern') assert.deepEqual([before, after], [folds, asked.size]);
          else assert.ok(before <= folds && after <= asked.size && after < before);
          assert.ok(asked.size < folds, `${asked.size} of ${folds}`);
        } finally {
          forgets.forEach(({ restore }) => restore());
          factored.restore();
        }
      }));
  }

  it('ends with the signal, also while it solves', () =>
    withModel(toy('llama-plain'), async (model) => {
      for (const after of full ? [0.1, 0.5, 0.95] : [0.95]) {
        const stop = new AbortController();
        const onProgress: JobOptions['onProgress'] = ({ done, total }) => {
          if (done / total >= after) stop.abort();
        };
        const job = { signal: stop.signal, onProgress };
        await assert.rejects(scoreHealed(model, ROWS, { count: 2 }, job), CancelledError);
      }
    }));

  itFull('chooses other blocks of the sample model than greedy removal without healing', () =>
    withModel(checkpointFolder('sample'), async (model) => {
      const rows = calibrationRows('sample');
      const candidates = [...model.architecture.layers.keys()].slice(1);
      const healed = await healedSample();
      const greedy = await scoreGreedy(model, rows, { count: ROUNDS, candidates, objective: 'kl' });
      const blocks = (found: typeof healed): number[] => found.removals.map(({ block }) => block).sort((a, b) => a - b);
      const view = (found: typeof healed): View =>
        viewWithout(
          model.architecture.layers.length,
          found.removals.map(({ block }) => ({ block })),
        );
      assert.notDeepEqual(blocks(healed), blocks(greedy));
      assert.ok((await foldedOf(model, view(healed), rows)).kl < (await foldedOf(model, view(greedy), rows)).kl);
    }),
  );
});
