/**
 * How many blocks a suggestion removes: by a number or a size from the headers alone, by a limit of the divergence or the
 * perplexity as measured, or by the size of an export.
 */
import { shareFor } from '../host/ask/judging-text';
import * as vscode from 'vscode';
import { modelSize } from '../engine/checkpoint/parameters';
import { UserError } from '../engine/errors';
import { type Criterion, objectiveSetting } from '../engine/importance/criteria';
import type { Goal } from '../engine/importance/choice';
import { blocksToRemove } from '../engine/importance/count';
import { selectByScores } from '../engine/importance/ranking';
import { formatBytes, formatFactor, formatNumber } from '../format/numbers';
import type { Chosen } from '../host/ask/choose-checkpoint';
import type { CommonArguments } from '../host/command';
import type { Coppice } from '../host/coppice';
import { fittingSize } from '../host/ask/export-sizes';
import { runJob } from '../host/jobs/run-job';
import type { ExportFormat } from '../engine/write/formats';
import { drawnOptions } from '../jobs/options/calibration';
import { withinPerplexity } from '../jobs/within-perplexity';
import type { CurveSpec } from '../protocol/jobs';
import type { CurveResult } from '../jobs/results/score';
import { fitting, smallest } from '../recipes/init/choose';
import { requireProtection, roomIn } from '../state/protection';
import { certainBlocks, rankingOf, type Scores } from '../state/scores';

type Device = CommonArguments['device'];

/** The number of blocks; for a limit the most that can go, for an export's size about the number. */
export async function countOf(coppice: Coppice, goal: Goal, chosen: Chosen): Promise<number> {
  return goal.kind === 'fit' ? countToFit(goal, chosen) : knownCount(coppice, goal, chosen);
}

/** The same for goals that need no sizes of exports. */
export function knownCount(
  { config }: Coppice,
  goal: Exclude<Goal, { readonly kind: 'fit' }>,
  { architecture }: Chosen,
): number {
  if (goal.kind === 'divergence' || goal.kind === 'perplexity') {
    return roomIn(architecture.layers, config);
  }
  return blocksToRemove(goal, modelSize(architecture));
}

type Fit = Extract<Goal, { readonly kind: 'fit' }>;

/** @throws UserError where it fits with all blocks, or not even without a third of them */
async function countToFit({ bytes, format, type }: Fit, { checkpoint, architecture }: Chosen): Promise<number> {
  const sizeOf = (_: unknown, count: number): Promise<number> =>
    fittingSize(checkpoint, { format: format as ExportFormat, type, removed: smallest(architecture, count) });
  const { removes, bytes: found } = await fitting(architecture, bytes, [type], sizeOf);
  if (removes > 0) return removes;
  throw new UserError(
    vscode.l10n.t('The model already fits this size'),
    vscode.l10n.t('exporting all blocks takes {0}, within the limit of {1}', formatBytes(found), formatBytes(bytes)),
    vscode.l10n.t('Export the model as it is, set a smaller size, or suggest by a number of blocks.'),
  );
}

/** The least important blocks, so many that the export fits: the chosen ones may be smaller than those it was planned with. */
export async function removedToFit(
  coppice: Coppice,
  chosen: Chosen,
  scores: Scores,
  goal: Fit,
  count: number,
): Promise<number[]> {
  const { bytes, format, type } = goal;
  for (let removes = count; ; removes++) {
    const removed = select(coppice, chosen, scores, removes);
    const found = await fittingSize(chosen.checkpoint, { format: format as ExportFormat, type, removed });
    if (found <= bytes) return removed;
  }
}

/** The blocks that a size needs, for a first idea of what they give; which ones go is not known yet. */
export const anyBlocks = ({ architecture }: Chosen, count: number): number[] => smallest(architecture, count);

/**
 * Whether the scores can choose this number: a greedy run has enough removals, a set exactly as many blocks, and so many
 * blocks are certain, not only screened.
 */
export const isFor = (scores: Scores, count: number, kept: ReadonlySet<number>): boolean =>
  (scores.removals?.length ?? Infinity) >= count &&
  (scores.set?.length ?? count) === count &&
  (certainBlocks(scores)?.filter((block) => !kept.has(block)).length ?? count) >= count;

/** @throws UserError when the scores rank no blocks, or too few may be removed */
export function select({ config }: Coppice, { architecture }: Chosen, scores: Scores, count: number): number[] {
  const ranking = rankingOf(scores);
  if (!ranking) {
    throw new UserError(
      vscode.l10n.t('Cannot suggest blocks'),
      vscode.l10n.t('these scores rank no blocks'),
      vscode.l10n.t('Score the blocks again.'),
    );
  }
  return selectByScores(
    ranking,
    architecture.layers.length,
    count,
    requireProtection(architecture.layers, config).kept,
  );
}

/** As many of the least important blocks as the limit allows, measured on the calibration text. */
export async function removedWithin(
  coppice: Coppice,
  chosen: Chosen,
  scores: Scores,
  goal: Extract<Goal, { readonly kind: 'divergence' | 'perplexity' }>,
  device: Device,
): Promise<readonly number[]> {
  if (scores.set !== undefined) throw noOrder(scores.criterion);
  const part = await shareFor(coppice, coppice.config.calibration.file, { path: chosen.path });
  const spec = { ...curveSpec(coppice, chosen, scores, goal), ...part };
  const { result } = await runJob(coppice, spec, { device });
  const removed = goal.kind === 'divergence' ? result.within!.removed : withinPerplexity(result.points, goal.ratio);
  if (removed.length > 0) return removed;
  const first = result.points.at(1);
  throw new UserError(
    vscode.l10n.t('No block can be removed within the limit'),
    first ? tooMuch(result, first, goal) : vscode.l10n.t('all blocks are protected'),
    vscode.l10n.t('Allow more, or heal the model after pruning.'),
  );
}

function curveSpec(
  { config }: Coppice,
  { path, architecture }: Chosen,
  { criterion, record }: Scores,
  goal: Goal,
): CurveSpec {
  const { locked } = requireProtection(architecture.layers, config);
  return {
    kind: 'curve',
    checkpoint: path,
    criterion,
    ...objectiveSetting(criterion, config.objective),
    ...drawnOptions(config.calibration),
    ...(goal.kind === 'divergence' && { measure: 'kl', maxKl: goal.kl }),
    keepEnds: config.keepEnds,
    keep: [...locked],
    ...(record !== null && { scores: record, objective: undefined }),
  };
}

function tooMuch({ points }: CurveResult, first: CurveResult['points'][number], goal: Goal): string {
  return goal.kind === 'divergence'
    ? vscode.l10n.t(
        'without block {0} the KL divergence is {1} nats',
        first.removed.join(),
        formatNumber(Number(first.kl), 3),
      )
    : vscode.l10n.t(
        'without block {0} the perplexity is {1} the original’s',
        first.removed.join(),
        formatFactor(Number(first.ppl) / Number(points[0].ppl)),
      );
}

const noOrder = (criterion: Criterion): UserError =>
  new UserError(
    vscode.l10n.t('{0} cannot choose by a limit', criterion),
    vscode.l10n.t('it finds a set of one size, which has no order'),
    vscode.l10n.t('Choose other scores.'),
  );
