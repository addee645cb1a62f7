/** Selects the blocks to remove: by name, or by scores and an amount. */
import { unfitScores } from '../../engine/importance/text-fit';
import { withShare } from '../../format/text-share';
import type { Architecture } from '../../engine/checkpoint/architecture';
import { requireBlocks } from '../../engine/checkpoint/block-list';
import { parametersOf, meanLayerParameters } from '../../engine/checkpoint/parameters';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { throwIfCancelled, UserError } from '../../engine/errors';
import { removalsOf } from '../../engine/evaluate/curve';
import { loadRows } from '../../engine/evaluate/rows';
import { comparedCurve, type ComparedPoint, withinDivergence } from '../../engine/evaluate/within';
import type { Calibration } from '../../engine/importance/calibration';
import { type Choice, choiceInputs, choiceSettings, type ScoringText } from '../../engine/importance/choice';
import { blocksToRemove, type SizeGoal } from '../../engine/importance/count';
import { scoresWarning } from '../../engine/importance/not-finite';
import { type Ranking, selectByScores } from '../../engine/importance/ranking';
import type { CriterionResult } from '../../engine/importance/result';
import { runCriterion } from '../../engine/importance/run-criterion';
import { readScores } from '../../engine/importance/scores-file';
import { keepList, requireRoom, selectExplicit } from '../../engine/importance/select';
import { uncertainWarning } from '../../engine/importance/uncertain';
import { option } from '../../engine/option-token';
import { inPhases } from '../../engine/progress';
import { fileInput } from '../../engine/records/details';
import type { RunInput } from '../../engine/records/record';
import { formatNumber } from '../../format/numbers';
import { counted } from '../../format/words';
import type { OptionsFor } from '../kinds';
import { type JobContext, modelOptions } from '../run';

/** The blocks to remove, and how they were chosen. */
export interface SelectedBlocks {
  readonly removed: readonly number[];
  readonly choice: Choice;
  readonly inputs: readonly RunInput[];
  /** For the record. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly seed?: number;
  readonly device?: unknown;
}

export type PruneOptions = OptionsFor<'prune'>;

/** @throws UserError when these blocks cannot be removed, or the scores belong to another model */
export async function selectBlocks(
  checkpoint: Checkpoint,
  architecture: Architecture,
  options: PruneOptions,
  context: JobContext,
): Promise<SelectedBlocks> {
  const { keep = [], blocks } = options;
  requireBlocks(keep, architecture.layers.length, option('keep'));
  if (blocks !== undefined) return byName(blocks, architecture, options);
  if (options.maxKl !== undefined) return byDivergence(checkpoint, architecture, options, options.maxKl, context);
  const amount = amountOf(architecture, options);
  return options.scores === undefined
    ? byCriterion(checkpoint, { options, ...amount }, context)
    : byScores(checkpoint, architecture, options.scores, amount, context);
}

/** @throws UserError when so many blocks cannot be removed */
export function amountOf(architecture: Architecture, options: PruneOptions): Amount {
  const { keep = [], keepEnds, ratio, targetParams } = options;
  requireBlocks(keep, architecture.layers.length, option('keep'));
  const kept = keepList(architecture.layers, { keepEnds, keep });
  const goal = goalOf(options);
  const count = blocksToRemove(goal, {
    total: parametersOf(architecture),
    block: meanLayerParameters(architecture),
  });
  requireRoom(architecture.layers.length, count, kept);
  return { goal, count, kept, settings: { count, ratio, targetParams, keep, keepEnds } };
}

function byName(blocks: readonly number[], architecture: Architecture, options: PruneOptions): SelectedBlocks {
  const { choice = 'hand', keep = [] } = options;
  requireBlocks(blocks, architecture.layers.length, option('blocks'));
  const removed = selectExplicit(blocks, architecture.layers.length, keep);
  return {
    removed,
    choice,
    inputs: choiceInputs(choice),
    settings: { ...choiceSettings(choice, removed), blocks: removed, keep },
  };
}

/** The amount to remove, and the blocks to keep. */
export interface Amount {
  readonly goal: SizeGoal;
  readonly count: number;
  readonly kept: ReadonlySet<number>;
  readonly settings: Readonly<Record<string, unknown>>;
}

async function byScores(
  checkpoint: Checkpoint,
  { layers }: Architecture,
  file: string,
  { goal, count, kept, settings }: Amount,
  { warn }: JobContext,
): Promise<SelectedBlocks> {
  const { criterion, calibration, ranking, screened, unfit, sha256 } = await readScores(
    file,
    checkpoint,
    layers.length,
  );
  if (unfit) warn(unfitScores(unfit));
  const warning = scoresWarning(resultOfRanking(ranking));
  if (warning !== undefined) warn(warning);
  const removed = selectByScores(ranking, layers.length, count, kept);
  const uncertain = screened && uncertainWarning(ranking, removed, screened);
  if (uncertain !== undefined) warn(uncertain);
  const choice = { criterion, goal, blocks: removed, calibration };
  return {
    removed,
    choice,
    inputs: [fileInput('scores', file, sha256), ...choiceInputs(choice)],
    settings: { chosen: 'by criterion', criterion, ...settings },
  };
}

async function byCriterion(
  checkpoint: Checkpoint,
  { options, goal, count, kept, settings }: Amount & { readonly options: PruneOptions },
  context: JobContext,
): Promise<SelectedBlocks> {
  const criterion = options.criterion!;
  const compute = modelOptions(options, context);
  // What is chosen is float32's choice: a screen only leaves out what cannot be among it.
  const scope = { count, kept, exact: count };
  const scoring = { ...options, ...compute, precision: 'auto' } as const;
  const scored = await runCriterion(checkpoint, criterion, scoring, context.job, scope);
  throwIfCancelled(context.job.signal); // a search that was cancelled has a result, but nothing is to be written
  scored.warnings.forEach(context.warn);
  const { calibration, inputs, seed, device } = scored;
  const removed = selectByScores(scored.ranking, checkpoint.architecture!.layers.length, count, kept);
  return {
    removed,
    choice: { criterion, goal, blocks: removed, calibration: calibration && scoringText(calibration) },
    inputs,
    settings: { chosen: 'by criterion', criterion, ...settings, ...scored.settings },
    seed,
    device,
  };
}

/** As many blocks of the ranking as keep the divergence under the limit, on the calibration rows. */
async function byDivergence(
  checkpoint: Checkpoint,
  architecture: Architecture,
  options: PruneOptions,
  maxKl: number,
  context: JobContext,
): Promise<SelectedBlocks> {
  const { keep = [], keepEnds, criterion, scores, calibration: file } = options;
  const { length } = architecture.layers;
  const kept = keepList(architecture.layers, { keepEnds, keep });
  const compute = modelOptions(options, context);
  const [ranking, measuring] = inPhases(context.job, [{ share: 1 }, { share: 1 }]);
  const scope = { count: Math.min(length - 1, length - kept.size), kept };
  const read = scores === undefined ? undefined : await readScores(scores, checkpoint, length);
  const scored = read
    ? undefined
    : await runCriterion(
        checkpoint,
        criterion!,
        { ...options, ...compute, precision: 'float32', race: false }, // any number of them may go
        ranking,
        scope,
      );
  throwIfCancelled(context.job.signal);
  scored?.warnings.forEach(context.warn);
  if (read?.unfit) context.warn(unfitScores(read.unfit));
  const source = { ...options, from: 'calibration' as const, file: file! }; // the job's check requires it
  const { rows, input } = await loadRows(source, checkpoint, architecture, measuring);
  const removals = removalsOf((read ?? scored!).ranking, length, kept);
  const opened = { checkpoint, changes: [], removed: [] };
  const { points, device } = await comparedCurve(opened, rows, removals, compute, measuring, (found, model) =>
    Promise.resolve({ points: found, device: model.device }),
  );
  const { removed, kl } = withinDivergence(points, maxKl);
  if (removed.length === 0) throw nothingWithin(points, maxKl);
  const by = read?.criterion ?? criterion!;
  const text = read ? read.calibration : scored?.calibration && scoringText(scored.calibration);
  const choice = {
    criterion: by,
    goal: { kind: 'divergence' as const, kl: maxKl },
    blocks: removed,
    calibration: text,
  };
  const uncertain = read?.screened && uncertainWarning(read.ranking, removed, read.screened);
  if (uncertain !== undefined) context.warn(uncertain);
  context.note(`${counted(removed.length, 'block')} removed: KL divergence is ${formatNumber(kl, 3)} nats`);
  return {
    removed,
    choice,
    inputs: [
      ...(read ? [fileInput('scores', scores!, read.sha256)] : []),
      ...(scored?.inputs ?? []),
      ...(read ? [input] : []),
    ],
    settings: { chosen: 'by criterion', criterion: by, maxKl, divergence: kl, keep, keepEnds, ...scored?.settings },
    seed: scored?.seed,
    device,
  };
}

function nothingWithin([, first]: readonly ComparedPoint[], maxKl: number): UserError {
  return new UserError(
    'No block can be removed within the limit',
    first
      ? `without block ${first.removed.join()}, KL divergence is ${formatNumber(first.kl, 3)}, above ${option('maxKl', maxKl)}`
      : 'all blocks are kept',
    'Allow more, or keep fewer blocks.',
  );
}

export function goalOf({ count, ratio, targetParams }: PruneOptions): SizeGoal {
  if (count !== undefined) return { kind: 'count', count };
  if (ratio !== undefined) return { kind: 'ratio', ratio };
  return { kind: 'target', parameters: targetParams! };
}

/** The numbers of a criterion's ranking. */
function resultOfRanking(ranking: Ranking): CriterionResult {
  if (ranking.kind === 'scores') return { blocks: ranking.scores.map((score, index) => ({ index, score })) };
  return ranking.kind === 'windows' ? { windows: ranking.windows } : {};
}

export const scoringText = ({
  source: name,
  sha256,
  samples,
  length,
  seed,
  share,
  bos,
  usualBos,
}: Calibration): ScoringText => ({
  name,
  sha256,
  samples,
  length,
  seed,
  ...withShare(share),
  ...(bos && { bos }),
  ...(usualBos && { usualBos }),
});
