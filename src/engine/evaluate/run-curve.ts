/** A whole curve, from the request to its points: opens the model, ranks its blocks, and evaluates the removals. */
import type { Architecture } from '../checkpoint/architecture';
import { parametersReadOf } from '../checkpoint/parameters';
import type { Checkpoint } from '../checkpoint/types';
import { UserError } from '../errors';
import { DEFAULT_DRAWING } from '../importance/drawing';
import { type Criterion, needsCalibration, criterionWork, objectiveSetting } from '../importance/criteria';
import type { CriterionSettings } from '../importance/criterion';
import { lossWarning } from '../importance/not-finite';
import { runCriterion } from '../importance/run-criterion';
import { inPhases, type JobOptions, labelled } from '../progress';
import type { Ranking } from '../importance/ranking';
import { scoringInputs } from '../importance/choice';
import { readScores } from '../importance/scores-file';
import { type ScreenOfScores, uncertainWarning } from '../importance/uncertain';
import { keepList } from '../importance/select';
import { fileInput } from '../records/details';
import type { RunInput } from '../records/record';
import type { TokenRows } from '../model/forward';
import type { Model, ModelOptions } from '../model/model';
import { type OpenedModel, withModel } from '../model/opened';
import { removedJson, viewWithout } from '../model/view';
import { curveEnd, type CurvePoint, removalCurve, removalsOf } from './curve';
import { loadRows, type RowSource } from './rows';
import { comparedCurve, type Within, withinDivergence } from './within';

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

export interface Curve {
  readonly points: readonly CurvePoint[];
  /** Set if a limit was given. */
  readonly within?: Within;
  readonly text: { readonly name: string; readonly sha256: string; readonly rows: number; readonly length: number };
  /** Parameters of the whole model that are read for a token. */
  readonly parametersRead: number;
  readonly device: Model['device'];
  readonly inputs: readonly RunInput[];
  readonly settings: Readonly<Record<string, unknown>>;
  /** Warnings about the numbers and the texts, once each. */
  readonly warnings: readonly string[];
}

/**
 * @param opened the model; every point leaves out what it leaves out
 * @throws UserError when scores or texts cannot be used, CancelledError
 */
export async function runCurve(
  opened: OpenedModel,
  options: CurveOptions,
  compute: Omit<ModelOptions, 'changes'>,
  job: JobOptions,
): Promise<Curve> {
  const { checkpoint, architecture, changes } = opened;
  const { criterion, most, keepEnds = true, keep = [], rows: source, measure, maxKl } = options;
  const kept = keepList(architecture.layers.length, { keepEnds, keep });
  const { rows, input, drawn, warnings } = await loadRows(source, checkpoint, architecture, job);
  const ranking = options.scores === undefined ? rankingWork(options, architecture, kept) : 0;
  const phases = [{ share: ranking }, { share: rows.length * criterionWork(architecture, 'ppl', {}) }];
  const [toRank, toMeasure] = inPhases(job, phases);
  const named = labelled(toRank, 'ranking the blocks');
  const exact = { ...compute, precision: undefined }; // the order is that of float32 whatever the points are measured in
  const ranked = await rankBlocksBy(options, checkpoint, architecture.layers.length, kept, exact, named);
  const removals = removalsOf(ranked.ranking, architecture.layers.length, kept, most);
  const { screened } = ranked;
  const uncertain = screened && uncertainWarning(ranked.ranking, removals.at(-1)!, screened);
  const end = curveEnd(ranked.ranking, architecture.layers.length, kept, most, removals);
  const measuring = labelled(toMeasure, 'measuring the curve');
  const seen = async (found: readonly CurvePoint[], model: Model) => {
    return { points: found, broken: await pointsWarning(model, rows, opened, found, job), device: model.device };
  };
  const { points, broken, device, within } =
    measure === 'kl' || maxKl !== undefined
      ? await comparedCurve(opened, rows, removals, compute, measuring, async (found, model) => {
          const limited = maxKl === undefined ? undefined : withinDivergence(found, maxKl);
          return { ...(await seen(found, model)), within: limited };
        })
      : await withModel(checkpoint, { ...compute, changes }, async (model) => {
          const found = await removalCurve(model, rows, removals, opened.removed, measuring);
          return { ...(await seen(found, model)), within: undefined };
        });
  return {
    points,
    ...(within && { within }),
    text: { name: input.name, sha256: input.sha256!, rows: rows.length, length: rows[0].length },
    parametersRead: parametersReadOf(architecture),
    device,
    inputs: [input, ...ranked.inputs, ...opened.inputs],
    settings: {
      criterion,
      ...(options.scores === undefined && objectiveSetting(criterion, options.scoring.objective)),
      keepEnds,
      keep,
      removed: removedJson(opened.removed),
      rows: source.from,
      ...(measure === 'kl' || maxKl !== undefined ? { measure: 'kl', maxKl } : {}),
      ...drawn,
    },
    warnings: [
      ...new Set([...warnings, ...ranked.warnings, ...[uncertain, end, broken].filter((text) => text !== undefined)]),
    ],
  };
}

/** The warning for the first point whose loss is not finite. */
async function pointsWarning(
  model: Model,
  rows: TokenRows,
  { architecture, removed: always }: OpenedModel,
  points: readonly CurvePoint[],
  job: JobOptions,
): Promise<string | undefined> {
  const point = points.find(({ meanNll }) => !Number.isFinite(meanNll));
  if (!point) return undefined;
  const removed = [...always, ...point.removed.map((block) => ({ block }))];
  const warning = await lossWarning(model, rows, viewWithout(architecture.layers.length, removed), point, job);
  return point.count === 0 ? warning : `with ${point.count} blocks removed, ${warning}`;
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
    return { ranking: read.ranking, inputs, warnings: [], screened: read.screened };
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
