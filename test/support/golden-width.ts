/** Width pruning against `width.json` (golden/README.md): every number of it. */
import assert from 'node:assert/strict';
import { narrowCheckpoint, type LayerWidth } from '../../src/engine/checkpoint/width';
import { perplexityOfRows } from '../../src/engine/evaluate/perplexity';
import { measureFlap } from '../../src/engine/importance/width/flap';
import { measureWidth, type WidthChoice } from '../../src/engine/importance/width/measure';
import type { WidthMethod } from '../../src/engine/importance/width/methods';
import type { UnitScores } from '../../src/engine/importance/width/units';
import type { Model } from '../../src/engine/model/model';
import { fullView } from '../../src/engine/model/view';
import { hashed } from './adapters';
import { assertAllClose, assertClose } from './close';
import { dot } from './differences';
import { calibrationRows, type GoldenName, goldenWidth, type GoldenRecord, type GoldenWidth } from './golden';
import { withModelOf } from './model';

/** How close numbers must be; for SmolLM2 ten times as far. */
export interface WidthTolerance {
  /** Scores of LLM-Pruner and Wanda-sp, means, fluctuations and biases, relative. */
  readonly relative: number;
  /** Scores and threshold of FLAP, absolute. */
  readonly flap: number;
  /** Mean loss of the pruned model, absolute. */
  readonly meanNll: number;
}

export const WIDTH_TOLERANCE = {
  toys: { relative: 1e-4, flap: 1e-4, meanNll: 1e-4 },
  smollm2: { relative: 1e-3, flap: 1e-3, meanNll: 1e-3 },
} as const satisfies Record<string, WidthTolerance>;

type Pruned = GoldenWidth[Section]['pruned'][number];
type Section = 'llmPruner' | 'flap' | 'wandaSp';

const SECTIONS = { 'llm-pruner': 'llmPruner', flap: 'flap', 'wanda-sp': 'wandaSp' } as const;

/** Compares a method at every ratio of the golden file. */
export async function checkWidth(
  model: Model,
  name: GoldenName,
  method: WidthMethod,
  tolerance: WidthTolerance,
): Promise<void> {
  const golden = goldenWidth(name);
  const rows = calibrationRows(name);
  const measured = await measureWidth(model, rows, { method });
  if (method === 'flap') await checkStatistics(model, rows, golden.flap, tolerance);
  for (const wanted of golden[SECTIONS[method]].pruned) {
    const what = `${name}, ${method} at ${wanted.ratio}`;
    const choice = await measured.select({ ratio: wanted.ratio });
    checkScores(choice.scores, golden, method, wanted, tolerance, what);
    if (!checkKept(choice, wanted, limits(method, tolerance), what)) continue;
    assert.equal(choice.parametersBefore, golden.full.parameters, what);
    assert.equal(choice.parametersAfter, wanted.parameters, what);
    checkBiases(choice, wanted, tolerance, what);
    const { layers, biases } = choice.width;
    await checkLoss(model, { layers, biases }, rows, wanted.meanNll, tolerance, what);
    if (wanted.meanNllWithoutBias !== undefined) {
      await checkLoss(model, { layers }, rows, wanted.meanNllWithoutBias, tolerance, `${what}, without biases`);
    }
  }
}

type Limit = (score: number) => number;

/** How near to the cut a unit may be on the other side. */
const limits = (method: WidthMethod, { relative, flap }: WidthTolerance): Limit =>
  method === 'flap' ? () => flap : (score) => relative * Math.abs(score);

function checkScores(
  scores: readonly UnitScores[],
  golden: GoldenWidth,
  method: WidthMethod,
  wanted: Pruned,
  tolerance: WidthTolerance,
  what: string,
): void {
  const limit = method === 'flap' ? { absolute: tolerance.flap } : { relative: tolerance.relative };
  for (const [i, { groups, neurons }] of scores.entries()) {
    const own =
      method === 'wanda-sp' ? wanted.layers[i].scores! : golden[method === 'flap' ? 'flap' : 'llmPruner'].layers[i];
    assertAllClose(groups, own.groups, limit, `${what}: groups of block ${i}`);
    if (own.neurons.values) assertAllClose(neurons, own.neurons.values, limit, `${what}: neurons of block ${i}`);
    checkRecord(neurons, own.neurons, tolerance.relative, `${what}: neurons of block ${i}`);
  }
}

/** @returns whether the kept units are equal; they may differ by units that are as near to the cut as the tolerance */
function checkKept({ width, threshold, scores }: WidthChoice, wanted: Pruned, limit: Limit, what: string): boolean {
  if (wanted.threshold !== undefined)
    assertClose(threshold!, wanted.threshold, { absolute: limit(0) }, `${what}: threshold`);
  else assert.equal(threshold, undefined);
  let equal = true;
  for (const [i, { groups, neurons }] of width.layers.entries()) {
    const { groups: wantedGroups, mask, neurons: count, groupCut, neuronCut } = wanted.layers[i];
    const wantedNeurons = unmasked(mask);
    assert.equal(wantedNeurons.length, count);
    equal =
      sameUnits(groups, wantedGroups, scores[i].groups, groupCut, limit, `${what}: groups of block ${i}`) && equal;
    equal =
      sameUnits(neurons, wantedNeurons, scores[i].neurons, neuronCut, limit, `${what}: neurons of block ${i}`) && equal;
  }
  return equal;
}

function sameUnits(
  kept: readonly number[],
  wanted: readonly number[],
  scores: Float64Array,
  cut: readonly [number, number] | null,
  limit: Limit,
  what: string,
): boolean {
  const [here, there] = [new Set(kept), new Set(wanted)];
  const apart = [...kept.filter((unit) => !there.has(unit)), ...wanted.filter((unit) => !here.has(unit))];
  for (const unit of apart) {
    assert.ok(cut, `${what}: unit ${unit}, where none is removed`);
    const away = Math.min(...cut.map((score) => Math.abs(scores[unit] - score)));
    assert.ok(away <= limit(scores[unit]), `${what}: unit ${unit} is ${away} from the cut`);
  }
  return apart.length === 0;
}

function checkBiases(
  { width: { biases } }: WidthChoice,
  wanted: Pruned,
  { relative }: WidthTolerance,
  what: string,
): void {
  assert.equal(biases !== undefined, wanted.layers[0].attentionBias !== undefined, `${what}: biases`);
  biases?.forEach(({ o, down }, i) => {
    checkRecord(o, wanted.layers[i].attentionBias!, relative, `${what}: attention bias of block ${i}`);
    checkRecord(down, wanted.layers[i].ffnBias!, relative, `${what}: FFN bias of block ${i}`);
  });
}

async function checkStatistics(
  model: Model,
  rows: number[][],
  { layers }: GoldenWidth['flap'],
  { relative }: WidthTolerance,
): Promise<void> {
  const { statistics } = await measureFlap(model, rows, {}, {});
  statistics.forEach(({ o, down }, i) => {
    checkRecord(o.mean, layers[i].attentionMean, relative, `attention mean of block ${i}`);
    checkRecord(o.fluctuation, layers[i].attentionFluctuation, relative, `attention fluctuation of block ${i}`);
    checkRecord(down.mean, layers[i].ffnMean, relative, `FFN mean of block ${i}`);
    checkRecord(down.fluctuation, layers[i].ffnFluctuation, relative, `FFN fluctuation of block ${i}`);
  });
}

async function checkLoss(
  model: Model,
  width: WidthChoice['width'],
  rows: number[][],
  expected: number,
  { meanNll: absolute }: WidthTolerance,
  what: string,
): Promise<void> {
  await withModelOf(narrowCheckpoint(model.checkpoint, width), async (narrow) => {
    const { meanNll } = await perplexityOfRows(narrow, rows, fullView(width.layers.length));
    assertClose(meanNll, expected, { absolute }, `${what}: mean loss`);
  });
}

/** The norm relative, the dot product with u(n, 7) relative to the norm. */
function checkRecord(
  values: ArrayLike<number>,
  { norm, dot: product }: GoldenRecord,
  relative: number,
  what: string,
): void {
  assertClose(Math.sqrt(dot(values, values)), norm, { relative }, `${what}: norm`);
  assertClose(dot(values, hashed(values.length, 7)), product, { absolute: relative * norm }, `${what}: dot`);
}

/** Kept neurons of a mask: digit k holds neurons 4k … 4k + 3, the lowest in the top bit. */
function unmasked(mask: string): LayerWidth['neurons'] {
  return Array.from(mask, (digit) => parseInt(digit, 16)).flatMap((bits, k) =>
    [0, 1, 2, 3].filter((i) => bits & (8 >> i)).map((i) => 4 * k + i),
  );
}
