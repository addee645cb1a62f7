/** An open model against the golden numbers of its checkpoint, within the tolerances of close.ts. */
import assert from 'node:assert/strict';
import { generate } from '../../src/engine/evaluate/generate';
import { scoreAngular } from '../../src/engine/importance/criteria/angular';
import { scoreBlockInfluence } from '../../src/engine/importance/criteria/block-influence';
import { scoreGreedy } from '../../src/engine/importance/criteria/greedy';
import type { LossSummary } from '../../src/engine/importance/losses';
import {
  scoreMagnitude,
  type MagnitudeNorm,
  type MagnitudeReduction,
} from '../../src/engine/importance/criteria/magnitude';
import { scoreModules, scoreBlocks } from '../../src/engine/importance/criteria/ppl';
import { streamResidual } from '../../src/engine/importance/residual';
import { sweepLosses } from '../../src/engine/importance/sweep';
import type { Removal } from '../../src/engine/importance/result';
import { scoreTaylor } from '../../src/engine/importance/criteria/taylor';
import type { Model } from '../../src/engine/model/model';
import { lengthClass } from '../../src/engine/model/rotary';
import { fullView, stepsOf, type View, viewWithout } from '../../src/engine/model/view';
import { logSumExp } from '../reference/forward';
import { assertAllClose, assertClose, assertSameOrder, TOLERANCE, type Tolerance } from './close';
import {
  calibrationRows,
  goldenGreedy,
  goldenHeal,
  goldenImportance,
  goldenTaylor,
  goldenLogits,
  hasStacks,
  inStack,
  type GoldenContinuation,
  type GoldenImportance,
  type GoldenLoss,
  type GoldenName,
  type GoldenRouted,
} from './golden';
import { decodedLogits, wholeLogits, withScreen } from './model';

/**
 * Logits, their log-sum-exp and arg max at the golden positions; the text grows in the cache from one to the next, unless angles
 * depend on its length: then it is read as a whole.
 */
export async function checkLogits(model: Model, name: GoldenName): Promise<void> {
  const golden = goldenLogits(name);
  for (const [row, ids] of golden.rows.entries()) {
    const pieces = golden.positions.map((position, p) =>
      ids.slice(p === 0 ? 0 : golden.positions[p - 1] + 1, position + 1),
    );
    const [shortest, whole] = [golden.positions[0] + 1, ids.length].map((n) => lengthClass(model.architecture, n));
    const logits =
      shortest === whole ? await decodedLogits(model, pieces) : await wholeLogits(model, ids, golden.positions);
    for (const [p, position] of golden.positions.entries()) {
      const what = `row ${row}, position ${position}`;
      const chosen = golden.vocabularyIds.map((id) => logits[p][id]);
      assertAllClose(chosen, golden.logits[row][p], TOLERANCE.logits, `${what}: logits`);
      assertClose(logSumExp(logits[p]), golden.logSumExp[row][p], TOLERANCE.logits, `${what}: log-sum-exp`);
      const most = logits[p].reduce((a, b) => Math.max(a, b));
      assert.equal(logits[p].indexOf(most), golden.argmax[row][p], `${what}: arg max`);
    }
  }
}

/** Mean norm of the residual stream before every block and after the last. */
export async function checkResidualNorms(model: Model, name: GoldenName): Promise<void> {
  const golden = goldenLogits(name);
  for (const [row, norms] of (await residualNorms(model, golden.rows)).entries()) {
    assertAllClose(norms, golden.residualNorms[row], TOLERANCE.residualNorm, `row ${row}: residual norms`);
  }
}

/** Per row and step (0 … L), the mean over positions of the L2 norm of the residual stream. */
async function residualNorms(model: Model, rows: readonly number[][]): Promise<number[][]> {
  const { hidden, layers } = model.architecture;
  const { length } = rows[0];
  const norms = rows.map(() => new Array<number>(layers.length + 1).fill(0));
  const add = (k: number, firstRow: number, data: Float32Array): void => {
    for (let at = 0; at < data.length; at += hidden) {
      const row = firstRow + Math.floor(at / hidden / length);
      norms[row][k] += Math.hypot(...data.subarray(at, at + hidden)) / length;
    }
  };
  await streamResidual(
    model,
    rows,
    stepsOf(fullView(model.architecture.layers.length)),
    (k, firstRow, before, after) => {
      if (k === 0) add(0, firstRow, before.data);
      add(k + 1, firstRow, after.data);
    },
  );
  return norms;
}

function checkLoss(actual: LossSummary, golden: GoldenLoss, what: string): void {
  assertClose(actual.meanNll, golden.meanNll, TOLERANCE.meanNll, `${what}: mean NLL`);
  assertAllClose(actual.rows, golden.rows, TOLERANCE.meanNll, `${what}: rows`);
  assert.equal(actual.ppl, Math.exp(actual.meanNll));
}

/** The PPL criterion over whole blocks: the model, every block, every row, the order. */
export async function checkBlockPerplexity(model: Model, name: GoldenName): Promise<void> {
  const golden = goldenImportance(name);
  const rows = calibrationRows(name);
  const { full, blocks, order } = await scoreBlocks(model, rows, { seed: 1 });
  assert.equal(full.tokens, rows.length * (rows[0].length - 1));
  checkLoss(full, golden.full, 'full');
  assert.equal(blocks.length, golden.ppl.blocks.length);
  for (const [index, block] of blocks.entries()) {
    assert.equal(block.index, index);
    assert.equal(block.score, block.ppl);
    const { low = NaN, high = NaN } = block;
    assert.ok(low <= block.ppl && block.ppl <= high, `block ${index}: interval`);
    assert.ok(block.pairedLow <= block.ppl && block.ppl <= block.pairedHigh, `block ${index}: paired interval`);
    checkLoss(block, golden.ppl.blocks[index], `without block ${index}`);
  }
  const losses = golden.ppl.blocks.map((b) => b.meanNll);
  assertSameOrder(order, golden.ppl.order, losses, TOLERANCE.meanNll.absolute);
}

/** The sweep of the PPL criterion over some blocks: the first rows' losses of the model, and without each of the blocks. */
export async function checkSomeBlocks(
  model: Model,
  name: GoldenName,
  blocks: readonly number[],
  count: number,
): Promise<void> {
  const golden = goldenImportance(name);
  const rows = calibrationRows(name).slice(0, count);
  const steps = stepsOf(fullView(model.architecture.layers.length));
  const { full, without } = await sweepLosses(model, rows, steps, blocks);
  const lossesOf = (found: Float64Array): number[] =>
    rows.map((ids, r) => {
      const each = found.subarray(r * (ids.length - 1), (r + 1) * (ids.length - 1));
      return each.reduce((sum, loss) => sum + loss, 0) / each.length;
    });
  assertAllClose(lossesOf(full), golden.full.rows.slice(0, count), TOLERANCE.meanNll, 'full: rows');
  for (const [i, block] of blocks.entries()) {
    const expected = golden.ppl.blocks[block].rows.slice(0, count);
    assertAllClose(lossesOf(without[i]), expected, TOLERANCE.meanNll, `without block ${block}: rows`);
  }
}

/** Where a token's choice of experts hangs on rounding, another one is right too, and the loss is another one. */
const routedTolerance = ({ routerMargin = Infinity }: GoldenRouted): Tolerance =>
  routerMargin < 1e-4 ? { absolute: 1e-2 } : TOLERANCE.meanNll;

/** The PPL criterion over attention and FFN apart. */
export async function checkModulePerplexity(model: Model, name: GoldenName): Promise<void> {
  const golden = goldenImportance(name).modules;
  const { modules, order } = await scoreModules(model, calibrationRows(name), { seed: 1 });
  const label = ({ block, part }: { block: number; part: string }): string => `${block}.${part}`;
  assert.deepEqual(modules.map(label), golden.modules.map(label));
  const losses = golden.modules.map((m) => m.meanNll);
  for (const [i, { meanNll }] of modules.entries()) {
    assertClose(meanNll, losses[i], routedTolerance(golden.modules[i]), `modules[${i}]`);
  }
  const place = (entry: { block: number; part: string }): number => golden.modules.map(label).indexOf(label(entry));
  assertSameOrder(order.map(place), golden.order.map(place), losses, TOLERANCE.meanNll.absolute);
}

const NORMS: readonly MagnitudeNorm[] = ['l1', 'l2'];
const REDUCTIONS = [
  ['sum', 'sum'],
  ['mean', 'mean'],
  ['max', 'max'],
  ['product', 'logProd'],
] as const satisfies readonly (readonly [
  MagnitudeReduction,
  keyof GoldenImportance['magnitude']['l1']['tensors'][0],
])[];

/** Scores by the names of the tensors in the file, where that of a stack is the sum of its parts. */
function ofStacks(tensors: readonly { readonly name: string; readonly score: number }[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { name, score } of tensors) {
    const stack = inStack(name);
    sums.set(stack, (sums.get(stack) ?? 0) + score);
  }
  return sums;
}

/**
 * Magnitudes of every tensor with each norm and reduction, or with the default ones alone; blocks and order for the sum, which the
 * golden numbers have.
 */
export async function checkMagnitude(model: Model, name: GoldenName, which: 'all' | 'default' = 'all'): Promise<void> {
  for (const norm of which === 'all' ? NORMS : NORMS.slice(0, 1)) {
    const golden = goldenImportance(name).magnitude[norm];
    for (const [reduction, field] of which === 'all' ? REDUCTIONS : REDUCTIONS.slice(0, 1)) {
      const { blocks, order, tensors } = await scoreMagnitude(model.weights, { norm, reduction });
      const byName = new Map(tensors.map((t) => [t.name, t.score]));
      if (hasStacks(name)) {
        // What the golden numbers have of a stack is the sum of what Coppice has of its parts, for sums of neurons.
        if (reduction === 'mean' || reduction === 'max') continue;
        const sums = ofStacks(tensors);
        byName.clear();
        for (const [tensor, score] of sums) byName.set(tensor, score);
      }
      assert.equal(byName.size, golden.tensors.length);
      for (const tensor of golden.tensors) {
        const key = `model.layers.${tensor.block}.${tensor.name}`;
        const what = `${norm} ${reduction} of ${key}`;
        assertClose(byName.get(key)!, Number(tensor[field]), TOLERANCE.magnitude, what);
      }
      if (reduction !== 'sum') continue;
      const scores = blocks.map((b) => b.score);
      assertAllClose(scores, golden.blocks, TOLERANCE.magnitude, `${norm} blocks`);
      assertSameOrder(order, golden.order, golden.blocks, TOLERANCE.magnitude.relative * Math.max(...golden.blocks));
    }
  }
}

/** The Taylor criterion: every tensor, every block, the order, the loss. */
export async function checkTaylor(model: Model, name: GoldenName): Promise<void> {
  const { full } = goldenImportance(name);
  const taylor = goldenTaylor(name);
  const { meanNll, blocks, order, tensors } = await scoreTaylor(model, calibrationRows(name));
  assertClose(meanNll, full.meanNll, TOLERANCE.meanNll, 'loss');
  const found = hasStacks(name) ? ofStacks(tensors) : new Map(tensors.map((t) => [t.name, t.score]));
  const scores = new Map(
    [...found].map(([tensor, score]) => [tensor, { block: Number(tensor.split('.')[2]), score }] as const),
  );
  assert.equal(scores.size, taylor.tensors.length);
  for (const { block, name: tensor, score } of taylor.tensors) {
    const actual = scores.get(`model.layers.${block}.${tensor}`)!;
    assert.equal(actual.block, block);
    assertClose(actual.score, score, TOLERANCE.taylor, `block ${block}: ${tensor}`);
  }
  const ofBlocks = blocks.map((b) => b.score);
  assertAllClose(ofBlocks, taylor.blocks, TOLERANCE.taylor, 'blocks');
  assertSameOrder(order, taylor.order, taylor.blocks, TOLERANCE.taylor.relative * Math.min(...taylor.blocks));
}

export async function checkBlockInfluence(model: Model, name: GoldenName): Promise<void> {
  const golden = goldenImportance(name).blockInfluence;
  const { blocks, order } = await scoreBlockInfluence(model, calibrationRows(name));
  const scores = blocks.map((b) => b.score);
  assertAllClose(scores, golden.blocks, TOLERANCE.similarity, 'block influence');
  assertSameOrder(order, golden.order, golden.blocks, TOLERANCE.similarity.absolute);
}

/**
 * Scores of blocks and modules that are screened in int8: the least important third is the golden one, in its order, and
 * everything that is said to be float32 has the golden numbers; the others are as near as they say.
 */
export async function checkScreenedScores(model: Model, name: GoldenName): Promise<void> {
  const golden = goldenImportance(name);
  const rows = calibrationRows(name);
  const [blocks, modules] = await withScreen(model, async (screening) => [
    await scoreBlocks(model, rows, { seed: 1, screening }),
    await scoreModules(model, rows, { seed: 1, screening }),
  ]);
  const label = ({ block, part }: { block: number; part: string }): string => `${block}.${part}`;
  const lists = [
    { found: blocks.blocks, screen: blocks.screen!, golden: golden.ppl.blocks as readonly GoldenRouted[] },
    { found: modules.modules, screen: modules.screen!, golden: golden.modules.modules },
  ];
  checkLoss(blocks.full, golden.full, 'full');
  for (const { found, screen, golden: expected } of lists) {
    assert.equal(screen.exact, Math.ceil(expected.length / 3));
    assert.equal(found.filter(({ precision }) => precision === 'float32').length, screen.confirmed);
    for (const [i, { meanNll, precision, margin = 0 }] of found.entries()) {
      const near = precision === 'float32' ? routedTolerance(expected[i]) : { absolute: margin };
      assertClose(meanNll, expected[i].meanNll, near, `${i}, ${precision}`);
    }
  }
  const losses = golden.ppl.blocks.map(({ meanNll }) => meanNll);
  const third = (order: readonly number[]): readonly number[] => order.slice(0, blocks.screen!.exact);
  assertSameOrder(third(blocks.order), third(golden.ppl.order), losses, TOLERANCE.meanNll.absolute);
  assert.deepEqual(
    modules.order.slice(0, modules.screen!.exact).map(label),
    golden.modules.order.slice(0, modules.screen!.exact).map(label),
  );
}

/** Golden removals by rounds that are screened in int8. */
export async function checkScreenedRemovals(model: Model, name: GoldenName): Promise<void> {
  const { removals } = goldenImportance(name).greedy;
  const scored = await withScreen(model, (screening) =>
    scoreGreedy(model, calibrationRows(name), { count: removals.length, screening }),
  );
  for (const [round, removal] of scored.removals.entries()) checkGreedyRemoval(removal, name, round);
}

/** Every window of every size. */
export async function checkAngular(model: Model, name: GoldenName): Promise<void> {
  const label = ({ start, size }: { start: number; size: number }): string => `${start}+${size}`;
  const golden = new Map(goldenImportance(name).angular.windows.map((w) => [label(w), w.score]));
  const { windows } = await scoreAngular(model, calibrationRows(name));
  assert.deepEqual(new Set(windows.map(label)), new Set(golden.keys()));
  for (const window of windows) {
    assertClose(window.score, golden.get(label(window))!, TOLERANCE.similarity, `window ${label(window)}`);
  }
}

/** All golden removals, from the whole model on. */
export async function checkGreedyRemovals(model: Model, name: GoldenName): Promise<void> {
  const { removals } = goldenImportance(name).greedy;
  const scored = await scoreGreedy(model, calibrationRows(name), { count: removals.length });
  assert.equal(scored.removals.length, removals.length);
  for (const [round, removal] of scored.removals.entries()) checkGreedyRemoval(removal, name, round);
}

/** One removal. A margin below the tolerance would make the runner-up as right, and end the comparison. */
export function checkGreedyRemoval(removal: Removal, name: GoldenName, round: number): void {
  const golden = goldenImportance(name).greedy.removals[round];
  const { margin } = golden;
  assert.ok(margin === null || margin > TOLERANCE.meanNll.absolute, `the golden margin of round ${round} is too small`);
  assert.equal(removal.block, golden.block, `round ${round}`);
  assertClose(removal.meanNll, golden.meanNll, TOLERANCE.meanNll, `round ${round}: mean NLL`);
}

/** The golden removals by divergence from the whole model. The golden file names the blocks that are kept. */
export async function checkKlGreedy(model: Model, name: GoldenName, tolerance: Tolerance): Promise<void> {
  const { klGreedy, dense } = goldenHeal(name);
  const blocks = [...model.architecture.layers.keys()];
  const candidates = blocks.filter((block) => !klGreedy.protect.includes(block));
  const options = { count: klGreedy.removals.length, candidates, objective: 'kl' } as const;
  const { full, removals } = await scoreGreedy(model, calibrationRows(name), options);
  assertClose(full.meanNll, dense.meanNll, tolerance, 'mean NLL of the whole model');
  assertClose(full.kl!, 0, { absolute: 1e-6 }, 'KL of the whole model');
  assert.deepEqual(
    removals.map(({ block }) => block),
    klGreedy.removals.map(({ block }) => block),
  );
  for (const [round, { kl, meanNll }] of removals.entries()) {
    assertClose(kl!, klGreedy.removals[round].kl, tolerance, `round ${round}: KL`);
    assertClose(meanNll, klGreedy.removals[round].meanNll, tolerance, `round ${round}: mean NLL`);
  }
}

/** Greedy text of the full and the pruned model, up to the first near tie. */
export async function checkGreedyIds(
  model: Model,
  name: GoldenName,
  {
    nearTie,
    prompts = Infinity,
    kinds = ['full', 'pruned'],
  }: { readonly nearTie: number; readonly prompts?: number; readonly kinds?: readonly ('full' | 'pruned')[] },
): Promise<void> {
  const golden = goldenGreedy(name);
  const blocks = model.architecture.layers.length;
  const pruned = viewWithout(
    blocks,
    golden.removed.map((block) => ({ block })),
  );
  for (const kind of kinds) {
    const view = kind === 'full' ? fullView(blocks) : pruned;
    await checkContinuations(model, view, golden[kind].slice(0, prompts), nearTie);
  }
}

/** Greedy text of a view of a model, up to the first near tie. */
export async function checkContinuations(
  model: Model,
  view: View,
  continuations: readonly GoldenContinuation[],
  nearTie: number,
): Promise<void> {
  for (const continuation of continuations) {
    const expected = comparableIds(continuation, nearTie);
    const maxNewTokens = expected.length;
    const { ids } = await generate(model, continuation.promptIds, {
      maxNewTokens,
      greedy: true,
      ignoreEos: true,
      view,
    });
    assert.deepEqual(ids, expected, `after ${continuation.promptIds.join(',')}`);
  }
}

/** The ids before the first step whose margin is below `nearTie`. */
function comparableIds({ ids, margins }: GoldenContinuation, nearTie: number): number[] {
  const tie = margins.findIndex((margin) => margin < nearTie);
  return ids.slice(0, tie === -1 ? ids.length : tie);
}
