/**
 * The set of blocks with the least energy (energy.ts), chosen among all sets of its size: single blocks are measured on all rows, pairs
 * on some of them. The sets of least energy are healed on most of the rows, and the one that is nearest to the original on the other
 * rows is chosen. A set that is best as it is need not be the best one to heal, and a healing looks better than it is on its own rows.
 */
import type { ScoreRows } from '../criterion';
import { inPhases, type JobOptions, labelled } from '../../progress';
import { heal } from '../../heal/heal';
import type { TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { fullView, stepsOf, type View } from '../../model/view';
import { energyWork, FINALISTS, pairRows } from '../cost';
import { type Energies, energiesOf, leastSets, pairsOf, setsOf } from '../energy';
import { candidateBlocks, openSteps } from '../in-turn';
import { type LossSummary, rowMeans, summariseComparison } from '../losses';
import type { EnergyResult, Finalist } from '../result';
import { divergencesOfSets, type SetSubject, viewLacking } from '../set-divergence';
import { sweepComparisons } from '../sweep';
import { withTeacher } from '../teacher';

export interface EnergyOptions {
  readonly view?: View;
  /** Number of blocks to remove. */
  readonly count: number;
  /** Blocks that may be removed; all when undefined. */
  readonly candidates?: readonly number[];
  /** The model whose whole is the teacher of the divergence; the model itself when undefined. */
  readonly teacher?: Model;
  readonly seed: number;
}

/**
 * @param rows calibration tokens, all rows of one length
 * @throws UserError when a temporary file is needed and cannot be written, or a model cannot be healed; CancelledError
 */
export async function scoreEnergy(
  model: Model,
  rows: TokenRows,
  options: EnergyOptions,
  job: JobOptions = {},
): Promise<{ full: LossSummary; energy: EnergyResult }> {
  const { view = fullView(model.architecture.layers.length), candidates, teacher = model, seed } = options;
  const steps = stepsOf(view);
  const open = openSteps(steps, candidates);
  const count = Math.min(options.count, open.length);
  const { single, pairs, plain, healed } = energyWork(model.architecture, steps.length, open, count);
  return withTeacher(teacher, rows, [single, pairs, plain, healed], job, async (states, phases) => {
    const [toSingle, toPairs, toPlain, toHealed] = phases;
    const subject = { model, view, rows, teacher: states };
    const blocks = open.map((k) => steps[k].block);
    const perRow = rows[0].length - 1;
    const swept = await sweepComparisons(model, states, rows, steps, open, labelled(toSingle, 'single blocks'));
    const single = swept.without.map(({ divergences }) => rowMeans(divergences, perRow));
    const energies = count > 1 ? await withPairs(subject, blocks, single, toPairs) : alone(single.map(mean));
    const { sets, isComplete } = leastSets(energies, count, FINALISTS, seed);
    const chosen = sets.map(({ set, energy }) => ({ blocks: set.map((i) => blocks[i]), energy }));
    const lists = chosen.map((each) => each.blocks);
    const plainly = await divergencesOfSets(subject, lists, undefined, labelled(toPlain, 'the best sets'));
    const judged = await healedDivergences(subject, teacher, lists, toHealed);
    const finalists = chosen.map((each, i): Finalist => ({ ...each, ...plainly[i], healed: judged[i] }));
    const best = finalists.reduce((a, b) => ((b.healed ?? b.kl) < (a.healed ?? a.kl) ? b : a));
    const ranked = isComplete ? setsOf(blocks.length, count) : null;
    const full = summariseComparison(swept.full, perRow);
    return { full, energy: { ...best, ppl: Math.exp(best.meanNll), ranked, finalists } };
  });
}

/**
 * The terms of the energy.
 * @param single KL divergence without each block, by row
 */
async function withPairs(
  subject: SetSubject,
  blocks: readonly number[],
  single: readonly (readonly number[])[],
  job: JobOptions,
): Promise<Energies> {
  const some = [...subject.rows.keys()].slice(0, pairRows(subject.rows.length));
  const pairs = pairsOf(blocks.length).map(([i, j]) => [blocks[i], blocks[j]]);
  const found = await divergencesOfSets(subject, pairs, some, labelled(job, 'pairs of blocks'));
  return energiesOf(
    single.map(mean),
    found.map(({ kl }) => kl),
    single.map((rows) => mean(rows.slice(0, some.length))),
  );
}

/** Single blocks have no pairs. */
const alone = (field: readonly number[]): Energies => ({ field, coupling: field.map(() => field.map(() => 0)) });

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Share of the rows that a quick healing does not fit. */
const JUDGED = 0.3;

/** KL divergence on rows that were not fitted, of each set after a quick healing; undefined where there is one row. */
async function healedDivergences(
  { model, view, rows }: SetSubject,
  target: Model,
  sets: readonly (readonly number[])[],
  job: JobOptions,
): Promise<(number | undefined)[]> {
  if (rows.length < 2) return sets.map(() => undefined);
  const fitted = rows.slice(0, rows.length - Math.ceil(JUDGED * rows.length));
  const heldOut = rows.slice(fitted.length);
  const phases = inPhases(
    job,
    sets.map(() => ({ share: 1 })),
  );
  const found: (number | undefined)[] = [];
  for (const [i, blocks] of sets.entries()) {
    const named = labelled(phases[i], `healing set ${i + 1} of ${sets.length}`);
    const healed = await heal(model, viewLacking(view, blocks), fitted, { method: 'refit', heldOut, target }, named);
    found.push(healed.heldOut?.after.kl);
  }
  return found;
}

export const scoreRows: ScoreRows = (model, rows, { view, count = 0, kept, teacher, seed }, job) => {
  const candidates = candidateBlocks(model.architecture.layers.length, kept);
  return scoreEnergy(model, rows, { view, count, candidates, teacher, seed }, job);
};
