/**
 * A curve before it is measured: its rows, its points in the order of a criterion, and what its record says. Parts of a
 * curve find the same plan, each for itself.
 */
import { unfitScores } from '../importance/text-fit';
import type { Architecture } from '../checkpoint/architecture';
import { parametersReadOf } from '../checkpoint/parameters';
import type { Checkpoint } from '../checkpoint/types';
import { UserError } from '../errors';
import { scoringInputs } from '../importance/choice';
import { type Criterion, criterionWork, needsCalibration, objectiveSetting } from '../importance/criteria';
import type { CriterionSettings } from '../importance/criterion';
import { DEFAULT_DRAWING } from '../importance/drawing';
import type { Ranking } from '../importance/ranking';
import { runCriterion } from '../importance/run-criterion';
import { readScores } from '../importance/scores-file';
import { keepList } from '../importance/select';
import { type ScreenOfScores, uncertainWarning } from '../importance/uncertain';
import type { TokenRows } from '../model/forward';
import type { ModelOptions } from '../model/model';
import type { OpenedModel } from '../model/opened';
import { removedJson, type View } from '../model/view';
import { inPhases, type JobOptions, labelled } from '../progress';
import { fileInput } from '../records/details';
import type { RunInput } from '../records/record';
import { curveEnd, type PlannedPoint, plannedPoints, removalsOf, viewsOf } from './curve';
import { loadRows, type RowSource } from './rows';

export interface CurveOptions {
  readonly criterion: Criterion;
  /** How the criterion is computed, unless `scores` names a file with its scores. */
  readonly scoring: CriterionSettings;
  readonly scores?: string;
  /** Maximum number of blocks to remove; all removable blocks when undefined. */
  readonly most?: number;
  /** Keep the first four blocks and the last two, unless false. */
  readonly keepEnds?: boolean;
  /** Other blocks to keep. */
  readonly keep?: readonly number[];
  readonly rows: RowSource;
  /** kl: compare every point with the unpruned model too. The accuracy in tasks is the caller's. */
  readonly measure?: 'ppl' | 'kl' | 'tasks';
  /** Find as many blocks as keep the divergence under this; includes `measure: 'kl'`. */
  readonly maxKl?: number;
}

export interface CurvePlan {
  /** All of one length. */
  readonly rows: TokenRows;
  readonly points: readonly PlannedPoint[];
  /** What is left of the model in each point. */
  readonly views: readonly View[];
  /** Whether every point is compared with the unpruned model. */
  readonly isCompared: boolean;
  readonly text: { readonly name: string; readonly sha256: string; readonly rows: number; readonly length: number };
  /** Parameters of the whole model that are read for a token. */
  readonly parametersRead: number;
  readonly inputs: readonly RunInput[];
  readonly settings: Readonly<Record<string, unknown>>;
  /** Warnings about the texts and the order, once each. */
  readonly warnings: readonly string[];
}

/**
 * @param opened the model; every point leaves out what it leaves out
 * @returns the plan, and what is left of the job for measuring it
 * @throws UserError when scores or texts cannot be used, CancelledError
 */
export async function planCurve(
  opened: OpenedModel,
  options: CurveOptions,
  compute: Omit<ModelOptions, 'changes'>,
  job: JobOptions,
): Promise<{ readonly plan: CurvePlan; readonly measuring: JobOptions }> {
  const { checkpoint, architecture } = opened;
  const { criterion, most, keepEnds = true, keep = [], rows: source, measure, maxKl } = options;
  const blocks = architecture.layers.length;
  const kept = keepList(architecture.layers, { keepEnds, keep });
  const { rows, input, drawn, warnings } = await loadRows(source, checkpoint, architecture, job);
  const ranking = options.scores === undefined ? rankingWork(options, architecture, kept) : 0;
  const phases = [{ share: ranking }, { share: rows.length * criterionWork(architecture, 'ppl', {}) }];
  const [toRank, toMeasure] = inPhases(job, phases);
  const exact = { ...compute, precision: undefined }; // the order is that of float32 whatever the points are measured in
  const ranked = await rankBlocksBy(options, checkpoint, blocks, kept, exact, labelled(toRank, 'ranking the blocks'));
  const removals = removalsOf(ranked.ranking, blocks, kept, most);
  const { screened } = ranked;
  const uncertain = screened && uncertainWarning(ranked.ranking, removals.at(-1)!, screened);
  const end = curveEnd(ranked.ranking, blocks, kept, most, removals);
  const views = viewsOf(architecture, removals, opened.removed);
  const isCompared = measure === 'kl' || maxKl !== undefined;
  const plan: CurvePlan = {
    ...{ rows, views, isCompared },
    points: plannedPoints(architecture, removals, views),
    text: { name: input.name, sha256: input.sha256!, rows: rows.length, length: rows[0].length },
    parametersRead: parametersReadOf(architecture),
    inputs: [input, ...ranked.inputs, ...opened.inputs],
    settings: {
      criterion,
      ...(options.scores === undefined && objectiveSetting(criterion, options.scoring.objective)),
      keepEnds,
      keep,
      removed: removedJson(opened.removed),
      rows: source.from,
      ...(isCompared ? { measure: 'kl', maxKl } : {}),
      ...drawn,
    },
    warnings: [...new Set([...warnings, ...ranked.warnings, ...[uncertain, end].filter((text) => text !== undefined)])],
  };
  return { plan, measuring: labelled(toMeasure, 'measuring the curve') };
}

/** The cost of ranking the blocks, in applications of a block to a row. */
function rankingWork(
  { criterion, scoring, most }: CurveOptions,
  architecture: Architecture,
  kept: ReadonlySet<number>,
): number {
  const blocks = architecture.layers.length;
  const count = Math.min(most ?? blocks - 1, blocks - kept.size);
  return (
    (scoring.samples ?? DEFAULT_DRAWING.samples) *
    criterionWork(architecture, criterion, { count, kept, objective: scoring.objective })
  );
}

interface Ranked {
  readonly ranking: Ranking;
  readonly inputs: readonly RunInput[];
  readonly warnings: readonly string[];
  /** Of a file with scores of a screen. */
  readonly screened?: ScreenOfScores;
}

/** The ranking, from a file of scores or computed now. */
async function rankBlocksBy(
  { criterion, scores, scoring, most }: CurveOptions,
  checkpoint: Checkpoint,
  blocks: number,
  kept: ReadonlySet<number>,
  compute: Omit<ModelOptions, 'changes'>,
  job: JobOptions,
): Promise<Ranked> {
  if (scores !== undefined) {
    const read = await readScores(scores, checkpoint, blocks);
    if (read.criterion !== criterion) {
      throw new UserError(
        `${scores} cannot be used as scores of ${criterion}`,
        `they are scores of ${read.criterion}`,
        'Choose scores of that criterion, or score again.',
      );
    }
    const inputs = [fileInput('scores', scores, read.sha256), ...scoringInputs(read.calibration)];
    const warnings = read.unfit ? [unfitScores(read.unfit)] : [];
    return { ranking: read.ranking, inputs, warnings, screened: read.screened };
  }
  if (needsCalibration(criterion) && scoring.calibration === undefined) {
    throw new UserError(
      `the criterion ${criterion} needs a calibration text`,
      'no text is chosen',
      'Choose a text file.',
    );
  }
  const count = Math.min(most ?? blocks - 1, blocks - kept.size);
  // Every point is a part of the order, so all of it must be certain.
  const settings = { ...scoring, ...compute, precision: 'auto' } as const;
  return runCriterion(checkpoint, criterion, settings, job, { count, kept, exact: count });
}
