/**
 * Chooses among attention and FFN, as `score` does by module, and says what a model without them would be. No checkpoint is written
 * without single modules, so this is a dry run.
 */
import type { Architecture } from '../../engine/checkpoint/architecture';
import { requireBlocks } from '../../engine/checkpoint/block-list';
import { requireArchitecture } from '../../engine/checkpoint/open';
import { meanLayerParameters, modelSize, parametersOf } from '../../engine/checkpoint/parameters';
import { partsReduction } from '../../engine/checkpoint/reduction';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { throwIfCancelled, UserError } from '../../engine/errors';
import { blocksToRemove, parametersToRemove } from '../../engine/importance/count';
import { type Amount, bytesOf, roomFor } from '../../engine/importance/module-costs';
import { partsByScore } from '../../engine/importance/parts-by-score';
import { brokenScores } from '../../engine/importance/ranking';
import type { CriterionResult } from '../../engine/importance/result';
import { runCriterion } from '../../engine/importance/run-criterion';
import { keepList, requireRoom } from '../../engine/importance/select';
import { removedFrom, removedJson, type RemovedPart, removedParts, viewWithout } from '../../engine/model/view';
import { option } from '../../engine/option-token';
import { detailsOf } from '../../engine/records/details';
import { defined } from '../../format/defined';
import type { PruneResult } from '../results/prune';
import { type JobContext, modelOptions, type RunEnd, secondsSince } from '../run';
import { goalOf, type PruneOptions } from './select-blocks';

/** @throws UserError when nothing can go, or not so much; CancelledError */
export async function chooseParts(
  checkpoint: Checkpoint,
  options: PruneOptions,
  context: JobContext,
): Promise<RunEnd<PruneResult>> {
  const start = performance.now();
  const architecture = requireArchitecture(checkpoint);
  const criterion = options.criterion!; // the job's check requires it
  const { cost, maxKl, count, ratio, targetParams, keep = [], keepEnds } = options;
  requireBlocks(keep, architecture.layers.length, option('keep'));
  const kept = keepList(architecture.layers, { keepEnds, keep });
  const amount = amountOf(architecture, options, kept);
  // Modules of which any number may go: a screen would have to leave them all to float32.
  const scope = { ...amount, kept, granularity: 'module', cost, maxKl, exact: 2 * architecture.layers.length } as const;
  const scoring = { ...options, ...modelOptions(options, context), precision: 'auto' } as const;
  const scored = await runCriterion(checkpoint, criterion, scoring, context.job, scope);
  throwIfCancelled(context.job.signal); // a search that was cancelled has a result, but it is not what was asked for
  scored.warnings.forEach(context.warn);
  const { result, inputs, seed, device, precision, settings } = scored;
  const chosen = partsOf(result, amount, kept, checkpoint);
  const { parts, ...reduction } = partsReduction(checkpoint, chosen);
  const leftOut = removedJson(chosen);
  const sizes = { count, ratio, targetParams, maxKl, keep, keepEnds };
  const how = { chosen: 'by criterion', criterion, granularity: 'module', cost: result.cost, ...sizes };
  return {
    result: {
      ...reduction,
      ...{ parts, leftOut, ...defined({ cost: result.cost }), ...measuredOf(result) },
      ...{ out: null, leftBehind: [], seconds: secondsSince(start) },
    },
    run: detailsOf(checkpoint, options, {
      ...{ inputs, seed, device, precision },
      settings: { ...how, removed: leftOut, ...settings },
    }),
  };
}

/** How much may go. A size in parameters is taken exactly, not as whole blocks. */
function amountOf(architecture: Architecture, options: PruneOptions, kept: ReadonlySet<number>): Amount {
  const { length } = architecture.layers;
  if (options.maxKl !== undefined) return { count: length };
  const goal = goalOf(options);
  if (goal.kind === 'count') {
    const count = blocksToRemove(goal, modelSize(architecture));
    requireRoom(length, count, kept);
    return { count };
  }
  const parameters = parametersToRemove(goal, parametersOf(architecture));
  const blocks = parameters / meanLayerParameters(architecture);
  requireRoom(length, Math.floor(blocks), kept);
  return { count: Math.ceil(blocks), parameters };
}

/** The parts that go: whole blocks first. */
function partsOf(
  { full, modules, leftOut = [], removals, moduleSearch }: CriterionResult,
  amount: Amount,
  kept: ReadonlySet<number>,
  checkpoint: Checkpoint,
): RemovedPart[] {
  const architecture = requireArchitecture(checkpoint);
  const { length } = architecture.layers;
  if (full && !Number.isFinite(full.meanNll)) throw brokenScores(`the loss of the original is ${full.meanNll}`);
  if (modules) {
    const room = roomFor(architecture, bytesOf(checkpoint), amount);
    return removedParts(viewWithout(length, partsByScore(modules, room, kept, 'cannot remove so much')));
  }
  if (leftOut.length === 0) {
    const why = 'each is kept, larger than what may go, or beyond the limit on KL divergence';
    throw new UserError('No part can be removed', why, 'Allow more, or keep fewer blocks.');
  }
  const { kl, meanNll } = removals?.at(-1) ?? moduleSearch!;
  const loss = kl ?? meanNll;
  if (!Number.isFinite(loss)) throw brokenScores(`the loss without ${leftOut.join(', ')} is ${loss}`);
  return removedFrom(leftOut, length);
}

/** What was measured of the model without the parts; nothing where each was measured alone. */
function measuredOf({ removals, moduleSearch }: CriterionResult): Pick<PruneResult, 'saves' | 'measured'> {
  const last = removals?.at(-1) ?? moduleSearch;
  if (last === undefined) return {};
  const saves = moduleSearch?.saves ?? removals!.reduce((sum, each) => sum + (each.saves ?? 0), 0);
  const { ppl, meanNll, kl } = last;
  return { saves, measured: { ppl, meanNll, ...defined({ kl }) } };
}
