/**
 * The set of blocks with the least energy (energy.ts), chosen among all sets of its size: single blocks are measured on all rows, pairs
 * on some of them, in int8 where that saves time. The sets of least energy are healed on most of the rows, and the one that is nearest to the original on the other
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
import type { Screening } from '../screened-sweep';
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
  /** Measures the pairs; the model itself when undefined. */
  readonly screening?: Screening;
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
  const { view = fullView(model.architecture.layers.length), candidates, teacher = model, seed, screening } = options;
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
    const screen = { ...subject, model: screening?.model ?? model };
    const energies = count > 1 ? await withPairs(screen, blocks, single.map(mean), toPairs) : alone(single.map(mean));
    const { sets, isComplete } = leastSets(energies, count, FINALISTS, seed);
    const chosen = sets.map(({ set, energy }) => ({ blocks: set.map((i) => blocks[i]), energy }));
    const lists = chosen.map((each) => each.blocks);
    const plainly = await divergencesOfSets(subject, lists, undefined, labelled(toPlain, 'the best sets'));
    const judged = await healedDivergences(subject, teacher, lists, toHealed);
    const finalists = chosen.map((each, i): Finalist => ({ ...each, ...plainly[i], healed: judged[i] }));
    const best = finalists.reduce((a, b) => ((b.healed ?? b.kl) < (a.healed ?? a.kl) ? b : a));
    const ranked = isComplete ? setsOf(blocks.length, count) : null;
    const full = summariseComparison(swept.full, perRow);
    const pairs = count > 1 && { pairs: { rows: pairRows(rows.length), precision: screen.model.precision } };
    return { full, energy: { ...best, ppl: Math.exp(best.meanNll), ranked, ...pairs, finalists } };
  });
}

/**
 * The terms of the energy. A coupling is a difference of three numbers, which are of the same rows and in the same precision, so what
 * they are off together does not count.
 * @param subject its model may be a screen
 * @param single KL divergence without each block, on all rows
 */
async function withPairs(
  subject: SetSubject,
  blocks: readonly number[],
  single: readonly number[],
  job: JobOptions,
): Promise<Energies> {
  const some = [...subject.rows.keys()].slice(0, pairRows(subject.rows.length));
  const sets = [...blocks.map((block) => [block]), ...pairsOf(blocks.length).map(([i, j]) => [blocks[i], blocks[j]])];
  const found = await divergencesOfSets(subject, sets, some, labelled(job, 'pairs of blocks'));
  const kl = found.map((each) => each.kl);
  return energiesOf(single, kl.slice(blocks.length), kl.slice(0, blocks.length));
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

export const scoreRows: ScoreRows = (model, rows, { view, count = 0, kept, teacher, seed, screening }, job) => {
  const candidates = candidateBlocks(model.architecture.layers.length, kept);
  return scoreEnergy(model, rows, { view, count, candidates, teacher, seed, screening }, job);
};
