/** Suggest Blocks…: plans the removal of the least important blocks, by a number, a size, a limit or the goal. */
import { basename } from 'node:path';
import { withShare } from '../format/text-share';
import * as vscode from 'vscode';
import type { Coppice } from '../host/coppice';
import { UserError } from '../engine/errors';
import { expectedScreen } from '../engine/importance/arithmetic';
import type { Criterion } from '../engine/importance/criteria';
import type { Goal, Suggestion } from '../engine/importance/choice';
import { planEffect } from '../jobs/plan-effect';
import type { ShipGoal } from '../protocol/journey';
import { requireProtection } from '../state/protection';
import type { Scores } from '../state/scores';
import { type Chosen, chooseCheckpoint } from '../host/ask/choose-checkpoint';
import type { Command, CommonArguments } from '../host/command';
import { exportSize } from '../host/ask/export-sizes';
import { did } from '../host/tour';
import { relativesOf } from './comparable-models';
import { score, scoresOf } from './score-blocks';
import { suggestModules } from './suggest-modules';
import { countOf, isFor, removedToFit, removedWithin, select } from './suggest-size';
import { askSuggestion, goalOf, type SuggestArguments } from './suggest-step';

export const suggestBlocksCommand: Command<SuggestArguments> = {
  id: 'coppice.suggestBlocks',
  needsTrust: true,
  async run(coppice, args, settle) {
    const title = vscode.l10n.t('Suggest Blocks');
    const chosen = await chooseCheckpoint(coppice, args, title);
    requireProtection(chosen.architecture.layers, coppice.config); // before any question or scoring
    const { originalIdentity } = await relativesOf(coppice, chosen);
    const shipping = coppice.goals.goal(originalIdentity);
    const isComplete = goalOf(args) !== undefined || (args.goal === true && shipping !== undefined);
    const { newGoal, ...complete } = isComplete
      ? { ...args, newGoal: undefined }
      : await askSuggestion(coppice, args, chosen, title, shipping);
    if (newGoal) coppice.goals.set(originalIdentity, newGoal);
    settle({ ...complete, checkpoint: chosen.path });
    const shown = scoresOf(coppice, chosen)?.criterion ?? coppice.config.criterion;
    if (complete.granularity === 'module') {
      return suggestModules(coppice, chosen, complete, { goal: goalOf(complete), shown });
    }
    const criterion = complete.criterion ?? shown;
    const goal = goalOf(complete) ?? (await goalToShip(chosen, newGoal ?? shipping!));
    const { count, removed } = await suggest(coppice, chosen, criterion, goal, complete.device);
    const { parametersAfter, bytesAfter, speedup } = planEffect(chosen.checkpoint, removed);
    return { checkpoint: chosen.path, criterion, count, removed, parametersAfter, bytesAfter, speedup };
  },
};

/**
 * What a goal asks of a suggestion: the size comes first, because it follows from the plan alone; perplexity can come back by
 * healing and retraining.
 * @throws UserError for a goal without a limit that removes anything, and for a format that cannot hold the model
 */
async function goalToShip({ checkpoint }: Chosen, { format, type, maxBytes, maxRatio }: ShipGoal): Promise<Goal> {
  const whole = maxBytes === undefined ? undefined : await exportSize(checkpoint, { format, type, removed: [] });
  if (maxBytes !== undefined && whole !== undefined && whole > maxBytes) {
    return { kind: 'fit', bytes: maxBytes, format, ...(type !== undefined && { type }) };
  }
  if (maxRatio !== undefined) return { kind: 'perplexity', ratio: maxRatio };
  throw new UserError(
    vscode.l10n.t('The goal is already met without pruning'),
    maxBytes === undefined ? vscode.l10n.t('it has no limit') : vscode.l10n.t('exporting all blocks meets its size'),
    vscode.l10n.t('Run “Coppice: Set Goal…”, or suggest by a number of blocks.'),
  );
}

/**
 * Plans the removal of the least important blocks. Scores them first, unless there are scores of these files.
 * @returns the blocks, and whether the user ended a search for them early
 */
export async function suggest(
  coppice: Coppice,
  chosen: Chosen,
  criterion: Criterion,
  goal: Goal,
  device: CommonArguments['device'],
): Promise<{ readonly count: number; readonly removed: readonly number[]; readonly cancelled: boolean }> {
  const wanted = await countOf(coppice, goal, chosen);
  const { scores, cancelled } = await freshScores(coppice, chosen, criterion, wanted, device);
  const removed = await chosenBlocks(coppice, chosen, scores, { goal, wanted, device });
  const count = removed.length;
  coppice.plans.suggest(chosen.subject, suggestionOf(scores, goal, removed));
  coppice.scores.show(chosen.path, criterion); // colors by another criterion would contradict the plan
  await did('coppice.did.plan');
  return { count, removed, cancelled };
}

async function chosenBlocks(
  coppice: Coppice,
  chosen: Chosen,
  scores: Scores,
  {
    goal,
    wanted,
    device,
  }: { readonly goal: Goal; readonly wanted: number; readonly device: CommonArguments['device'] },
): Promise<readonly number[]> {
  switch (goal.kind) {
    case 'divergence':
    case 'perplexity':
      return removedWithin(coppice, chosen, scores, goal, device);
    case 'fit':
      return removedToFit(coppice, chosen, scores, goal, wanted);
    default:
      return select(coppice, chosen, scores, wanted);
  }
}

/** Why these blocks are removed, for the record and the model card. Later scores do not change it. */
function suggestionOf({ criterion, calibration, record }: Scores, goal: Goal, blocks: readonly number[]): Suggestion {
  const { source, sha256, file, samples, length, seed, share } = calibration ?? {};
  return {
    criterion,
    goal,
    blocks,
    ...(source !== undefined &&
      sha256 !== undefined && {
        calibration: {
          name: source,
          sha256,
          samples,
          length,
          seed,
          ...withShare(share),
          ...(file !== undefined && { file }),
        },
      }),
    ...(record !== null && { run: basename(record) }),
  };
}

/** Existing scores, or new ones. */
async function freshScores(
  coppice: Coppice,
  chosen: Chosen,
  criterion: Criterion,
  count: number,
  device: CommonArguments['device'],
): Promise<{ readonly scores: Scores; readonly cancelled: boolean }> {
  const known = scoresOf(coppice, chosen, criterion);
  const { kept } = requireProtection(chosen.architecture.layers, coppice.config);
  if (known && isFor(known, count, kept)) return { scores: known, cancelled: false };
  const exact = exactOf(coppice, chosen, criterion, count + kept.size);
  const { search } = await score(coppice, chosen, { criterion, count, exact, device }, true);
  return { scores: scoresOf(coppice, chosen, criterion)!, cancelled: search?.ended === 'cancelled' };
}

/**
 * How many blocks must be certain to choose by them: so many (kept blocks may be among the least important ones), or all where
 * a screen would not save time.
 */
function exactOf({ config }: Coppice, { architecture }: Chosen, criterion: Criterion, wanted: number): number {
  const { samples: rows, length } = config.calibration;
  const shape = { rows, length: Math.min(length, architecture.context) };
  const { exact } = expectedScreen(architecture, criterion, shape, { exact: wanted });
  return exact ?? architecture.layers.length;
}
