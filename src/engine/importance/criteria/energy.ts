/**
 * The set of blocks with the least energy (energy.ts), chosen among all sets of its size. Single blocks and pairs are measured on some of
 * the rows, in int8 where that saves time. The sets of least energy are measured as they are, on all rows. The nearest of them are
 * healed on most of the rows, and the one that is nearest to the original on the other rows is chosen: a set that is best as it is need
 * not be the best one to heal, and a healing looks better than it is on its own rows.
 */
import { defined } from '../../../format/defined';
import type { ScoreRows } from '../criterion';
import { inPhases, type JobOptions, labelled } from '../../progress';
import { heal } from '../../heal/heal';
import { RememberedCorrections } from '../../heal/remembered';
import { Overlay } from '../../weights/overlay';
import type { TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { fullView, stepsOf, type View } from '../../model/view';
import { energyWork, FINALISTS, pairRows, SHORTLIST } from '../cost';
import { type Energies, energiesOf, leastSets, pairsOf, setsOf } from '../energy';
import { candidateBlocks, openSteps } from '../in-turn';
import type { CriterionResult, Finalist } from '../result';
import type { Screening } from '../screened-sweep';
import { racedSets } from '../raced-sets';
import type { Race } from '../raced-sweep';
import { divergencesOfSets, type SetSubject, viewLacking } from '../set-divergence';
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
  /** Leaves out rows of sets that are not among those to heal. */
  readonly race?: Race;
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
): Promise<Required<Pick<CriterionResult, 'full' | 'energy'>> & Pick<CriterionResult, 'race'>> {
  const {
    view = fullView(model.architecture.layers.length),
    candidates,
    teacher = model,
    seed,
    screening,
    race,
  } = options;
  const steps = stepsOf(view);
  const open = openSteps(steps, candidates);
  const count = Math.min(options.count, open.length);
  const { pairs, plain, healed } = energyWork(model.architecture, steps.length, open, count);
  return withTeacher(teacher, rows, [pairs, plain, healed], job, async (states, [toPairs, toPlain, toHealed]) => {
    const subject = { model, view, rows, teacher: states };
    const blocks = open.map((k) => steps[k].block);
    const screen = screening?.model ?? model;
    const some = [...rows.keys()].slice(0, pairRows(rows.length));
    const energies = await measured({ ...subject, model: screen }, blocks, count, some, toPairs);
    const { sets, isComplete } = leastSets(energies, count, SHORTLIST, seed);
    const chosen = sets.map(({ set, energy }) => ({ blocks: set.map((i) => blocks[i]), energy }));
    const named = labelled(toPlain, 'the best sets');
    const measuredSets = await racedSets(
      subject,
      chosen.map((each) => each.blocks),
      FINALISTS,
      race,
      named,
    );
    const { full } = measuredSets;
    const nearest = chosen
      .flatMap((each, i) => measuredSets.sets[i].map((fitness) => ({ ...each, ...fitness })))
      .sort((a, b) => a.kl - b.kl)
      .slice(0, FINALISTS);
    const judged = await healedDivergences(
      subject,
      teacher,
      nearest.map((each) => each.blocks),
      toHealed,
    );
    const finalists = nearest.map((each, i): Finalist => ({ ...each, healed: judged[i] }));
    const best = finalists.reduce((a, b) => ((b.healed ?? b.kl) < (a.healed ?? a.kl) ? b : a));
    return {
      full: { ...full, ppl: Math.exp(full.meanNll), tokens: rows.length * (rows[0].length - 1) },
      energy: {
        ...best,
        ppl: Math.exp(best.meanNll),
        ranked: isComplete ? setsOf(blocks.length, count) : null,
        pairs: { rows: some.length, precision: screen.precision },
        finalists,
      },
      ...defined({ race: measuredSets.race }),
    };
  });
}

/**
 * The terms of the energy on some of the rows.
 * @param subject its model may be a screen
 */
async function measured(
  subject: SetSubject,
  blocks: readonly number[],
  count: number,
  rows: readonly number[],
  job: JobOptions,
): Promise<Energies> {
  if (count === 0) return { field: [], coupling: [] };
  const pairs = count > 1 ? pairsOf(blocks.length) : [];
  const sets = [...blocks.map((block) => [block]), ...pairs.map(([i, j]) => [blocks[i], blocks[j]])];
  const found = await divergencesOfSets(subject, sets, rows, labelled(job, 'single blocks and pairs'));
  const kl = found.map((each) => each.kl);
  const field = kl.slice(0, blocks.length);
  return count > 1
    ? energiesOf(field, kl.slice(blocks.length))
    : { field, coupling: field.map(() => field.map(() => 0)) };
}

/** Share of the rows that a quick healing does not fit. */
const JUDGED = 0.3;

/** Share of the memory budget for corrections that later sets need. */
const REMEMBERED = 1 / 8;

/**
 * KL divergence on rows that were not fitted, of each set after a quick healing; undefined where there is one row. Sets that begin alike
 * follow each other, and share what is found up to the first block that only one of them lacks.
 */
async function healedDivergences(
  { model, view, rows, teacher }: SetSubject,
  target: Model,
  sets: readonly (readonly number[])[],
  job: JobOptions,
): Promise<(number | undefined)[]> {
  if (rows.length < 2) return sets.map(() => undefined);
  const fitted = rows.length - Math.ceil(JUDGED * rows.length);
  const judging = [...rows.keys()].slice(fitted);
  const phases = inPhases(
    job,
    sets.flatMap(() => [{ share: 5 }, { share: 1 }]),
  );
  const views = sets.map((blocks) => viewLacking(view, blocks));
  const remembered = new RememberedCorrections(views, REMEMBERED * model.memory);
  const found: number[] = [];
  for (const [turn, i] of alike(sets).entries()) {
    const [toHeal, toJudge] = phases
      .slice(2 * turn)
      .map((each) => labelled(each, `healing set ${turn + 1} of ${sets.length}`));
    const others = remembered.of(views[i]);
    const settings = { method: 'refit', measure: false, target, others } as const;
    const { patches } = await heal(model, views[i], rows.slice(0, fitted), settings, toHeal);
    const healed = await model.withWeights(new Overlay(model.weights, patches));
    try {
      const [{ kl }] = await divergencesOfSets({ model: healed, view, rows, teacher }, [sets[i]], judging, toJudge);
      found[i] = kl;
    } finally {
      await healed.close();
    }
  }
  return found;
}

/** Indices of sets, those that begin alike one after the other. */
function alike(sets: readonly (readonly number[])[]): number[] {
  const first = (a: readonly number[], b: readonly number[]): number => {
    const place = a.findIndex((block, i) => block !== b[i]);
    return place < 0 ? 0 : a[place] - (b[place] ?? Infinity);
  };
  return [...sets.keys()].sort((i, j) => first(sets[i], sets[j]));
}

export const scoreRows: ScoreRows = (model, rows, { view, count = 0, kept, teacher, seed, screening, race }, job) => {
  const candidates = candidateBlocks(model.architecture.layers.length, kept);
  return scoreEnergy(model, rows, { view, count, candidates, teacher, seed, screening, race }, job);
};
