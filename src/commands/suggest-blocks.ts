/** Suggest Blocks to Prune…: plans the removal of the least important blocks, by a number, a share or a size. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { Coppice } from '../host/coppice';
import { parametersOf, meanLayerParameters } from '../engine/checkpoint/parameters';
import { UserError } from '../engine/errors';
import { expectedScreen } from '../engine/importance/arithmetic';
import { type Criterion, objectiveSetting } from '../engine/importance/criteria';
import type { Goal, Suggestion } from '../engine/importance/choice';
import { blocksToRemove, parseParameterCount } from '../engine/importance/count';
import { selectByScores } from '../engine/importance/ranking';
import { option } from '../engine/option-token';
import { planEffect } from '../jobs/plan-effect';
import { protectionOf, requireProtection } from '../views/protection';
import { certainBlocks, rankingOf, type Scores } from '../views/scores';
import { drawnOptions } from '../jobs/options/calibration';
import type { CurveSpec } from '../protocol/jobs';
import { formatBytes, formatFactor, formatNumber, shortCount } from '../format/numbers';
import { type Chosen, chooseCheckpoint } from '../host/choose-checkpoint';
import type { Command, CommonArguments } from '../host/command';
import { criterionChoices } from '../host/criteria';
import { criterionEstimate } from '../host/estimates';
import { parseShare, positiveFault, shareFault, wholeNumberFault } from '../host/numbers';
import { recall, remember } from '../host/remembered';
import { runJob } from '../host/run-job';
import { score, scoresOf } from './score-blocks';
import { ask, askAll, BACK, type Choice, pick, type Step } from '../host/steps';

export interface SuggestArguments extends CommonArguments {
  readonly criterion?: Criterion;
  /** One of these four gives the size. */
  readonly count?: number;
  readonly ratio?: number;
  /** "5.4B", or a number. */
  readonly targetParams?: string | number;
  /** As many as keep the divergence from the unpruned model below this, in nats, on the calibration text. */
  readonly maxKl?: number;
}

interface State extends SuggestArguments {
  readonly measure?: Goal['kind'];
}

export const suggestBlocksCommand: Command<SuggestArguments> = {
  id: 'coppice.suggestBlocks',
  needsTrust: true,
  async run(coppice, args, settle) {
    const title = vscode.l10n.t('Suggest Blocks to Prune');
    const chosen = await chooseCheckpoint(coppice, args, title);
    requireProtection(chosen.architecture.layers.length, coppice.config); // before any question or scoring
    const complete = goalOf(args) ? args : await askSuggestion(coppice, args, chosen, title);
    settle({ ...complete, checkpoint: chosen.path });
    const criterion = complete.criterion ?? scoresOf(coppice, chosen)?.criterion ?? coppice.config.criterion;
    const goal = goalOf(complete)!;
    const { count, removed } = await suggest(coppice, chosen, criterion, goal, complete.device);
    const { parametersAfter, bytesAfter, speedup } = planEffect(chosen.checkpoint, removed);
    return { checkpoint: chosen.path, criterion, count, removed, parametersAfter, bytesAfter, speedup };
  },
};

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
  const wanted = countOf(coppice, goal, chosen);
  const { scores, cancelled } = await freshScores(coppice, chosen, criterion, wanted, device);
  const removed =
    goal.kind === 'divergence'
      ? await removedWithin(coppice, chosen, scores, goal.kl, device)
      : select(coppice, chosen, scores, wanted);
  const count = removed.length;
  coppice.plans.suggest(chosen.subject, suggestionOf(scores, goal, removed));
  coppice.scores.show(chosen.path, criterion); // colors by another criterion would contradict the plan
  await vscode.commands.executeCommand('setContext', 'coppice.did.suggest', true);
  return { count, removed, cancelled };
}

/** Why these blocks are removed, for the record and the model card. Later scores do not change it. */
function suggestionOf({ criterion, calibration, record }: Scores, goal: Goal, blocks: readonly number[]): Suggestion {
  const { source, sha256, file, samples, length, seed } = calibration ?? {};
  return {
    criterion,
    goal,
    blocks,
    ...(source !== undefined &&
      sha256 !== undefined && {
        calibration: { name: source, sha256, samples, length, seed, ...(file !== undefined && { file }) },
      }),
    ...(record !== null && { run: basename(record) }),
  };
}

function goalOf({ count, ratio, targetParams, maxKl }: SuggestArguments): Goal | undefined {
  if (maxKl !== undefined) return { kind: 'divergence', kl: maxKl };
  if (count !== undefined) return { kind: 'count', count };
  if (ratio !== undefined) return { kind: 'ratio', ratio };
  if (targetParams === undefined) return undefined;
  return { kind: 'target', parameters: parseParameterCount(String(targetParams), option('targetParams')) };
}

/** The number of blocks; for a limit of the divergence the most that can go. */
function countOf({ config }: Coppice, goal: Goal, { architecture }: Chosen): number {
  const blocks = architecture.layers.length;
  if (goal.kind === 'divergence') {
    return Math.max(1, Math.min(blocks - 1, blocks - protectionOf(blocks, config).kept.size));
  }
  return blocksToRemove(goal, { total: parametersOf(architecture), block: meanLayerParameters(architecture) });
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
  const { kept } = requireProtection(chosen.architecture.layers.length, coppice.config);
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

/**
 * Whether the scores can choose this number: a greedy run has enough removals, a set exactly as many blocks, and so many
 * blocks are certain, not only screened.
 */
const isFor = (scores: Scores, count: number, kept: ReadonlySet<number>): boolean =>
  (scores.removals?.length ?? Infinity) >= count &&
  (scores.set?.length ?? count) === count &&
  (certainBlocks(scores)?.filter((block) => !kept.has(block)).length ?? count) >= count;

function select({ config }: Coppice, { architecture }: Chosen, scores: Scores, count: number): number[] {
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
    requireProtection(architecture.layers.length, config).kept,
  );
}

/** The criteria to decide by, with the time that each takes. Existing scores take no time. */
export function decidingChoices(coppice: Coppice, chosen: Chosen): readonly Choice<Criterion>[] {
  const blocks = chosen.architecture.layers.length;
  const exact = Math.floor(blocks / 4) + protectionOf(blocks, coppice.config).kept.size; // how many go is asked later
  const estimate = (criterion: Criterion): string | undefined =>
    scoresOf(coppice, chosen, criterion) ? undefined : criterionEstimate(coppice, chosen, criterion, exact);
  return criterionChoices(estimate).map((choice) =>
    scoresOf(coppice, chosen, choice.value)
      ? { ...choice, description: `${choice.description} · ${vscode.l10n.t('scored')}` }
      : choice,
  );
}

async function askSuggestion(coppice: Coppice, args: SuggestArguments, chosen: Chosen, title: string): Promise<State> {
  const criterionStep: Step<State> = async (_, place) => {
    const choices = decidingChoices(coppice, chosen);
    const active = scoresOf(coppice, chosen)?.criterion ?? coppice.config.criterion;
    const criterion = await pick(place, vscode.l10n.t('Select the scores to decide by'), choices, active);
    return criterion === BACK ? BACK : { criterion };
  };
  const measureStep: Step<State> = async (_, place) => {
    const active = recall<string>(coppice, 'suggest', 'measure', 'count') as Goal['kind'];
    const measure = await pick(place, vscode.l10n.t('Select how to set the size'), measureChoices(), active);
    return measure === BACK ? BACK : { measure };
  };
  const valueStep: Step<State> = async (state, place) => {
    const measure = state.measure ?? 'count';
    const answer = await ask(place, {
      prompt: valuePrompt(measure),
      value: defaultValue(coppice, measure, chosen),
      fault: (text) => valueFault(coppice, measure, text, chosen),
      meaning: (text) => meaningOf(coppice, chosen, state.criterion!, goalOf(valueOf(measure, text))!),
    });
    return answer === BACK ? BACK : valueOf(measure, answer);
  };
  const state = await askAll<State>(title, args, [
    ...(args.criterion === undefined ? [criterionStep] : []),
    measureStep,
    valueStep,
  ]);
  const { measure, count, ratio, targetParams, maxKl } = state;
  await remember(coppice, 'suggest', {
    measure,
    divergence: maxKl,
    count,
    ratio,
    targetParams: targetParams === undefined ? undefined : String(targetParams),
  });
  return state;
}

/** Asks for a number of blocks to remove by this criterion, and says what it gives. */
export function askCount(
  coppice: Coppice,
  chosen: Chosen,
  criterion: Criterion,
  place: Parameters<Step<unknown>>[1],
): Promise<string | typeof BACK> {
  return ask(place, {
    prompt: valuePrompt('count'),
    value: defaultValue(coppice, 'count', chosen),
    fault: (text) => valueFault(coppice, 'count', text, chosen),
    meaning: (text) => meaningOf(coppice, chosen, criterion, { kind: 'count', count: Number(text) }),
  });
}

function measureChoices(): Choice<Goal['kind']>[] {
  const { t } = vscode.l10n;
  return [
    { label: t('A number of blocks'), detail: t('For example 6'), value: 'count' },
    { label: t('A share of the parameters (at most)'), detail: t('For example 20 %'), value: 'ratio' },
    {
      label: t('A limit of the divergence'),
      detail: t('As many as keep the KL divergence from the unpruned model below it, for example 0.5 nats'),
      value: 'divergence',
    },
    { label: t('A target size (at least)'), detail: t('For example 110M parameters'), value: 'target' },
  ];
}

function valuePrompt(measure: Goal['kind']): string {
  if (measure === 'count') return vscode.l10n.t('Number of blocks to remove');
  if (measure === 'ratio') return vscode.l10n.t('Largest share of the parameters to remove');
  if (measure === 'divergence') return vscode.l10n.t('Largest divergence from the unpruned model, in nats');
  return vscode.l10n.t('Smallest number of parameters to keep');
}

/** The last value if this model allows it; otherwise about a fifth of the model, as in the paper. */
function defaultValue(coppice: Coppice, measure: Goal['kind'], chosen: Chosen): string {
  const blocks = chosen.architecture.layers.length;
  const room = blocks - protectionOf(blocks, coppice.config).kept.size;
  const last = lastValue(coppice, measure);
  const fits = last !== '' && valueFault(coppice, measure, last, chosen) === undefined;
  if (fits && countOf(coppice, goalOf(valueOf(measure, last))!, chosen) <= room) return last;
  if (measure === 'ratio') return '0.2';
  if (measure === 'divergence') return '0.5';
  if (measure === 'target') return shortCount(0.8 * parametersOf(chosen.architecture));
  return String(Math.max(1, Math.min(Math.round(blocks / 5), room)));
}

/** Empty if there is none. */
function lastValue(coppice: Coppice, measure: Goal['kind']): string {
  if (measure === 'target') return recall(coppice, 'suggest', 'targetParams', '');
  const value = recall(coppice, 'suggest', measure, 0);
  return value > 0 ? String(value) : '';
}

const valueOf = (measure: Goal['kind'], text: string): SuggestArguments => {
  if (measure === 'count') return { count: Number(text) };
  if (measure === 'divergence') return { maxKl: Number(text) };
  return measure === 'ratio' ? { ratio: parseShare(text) } : { targetParams: text.trim() };
};

function valueFault(coppice: Coppice, measure: Goal['kind'], text: string, chosen: Chosen): string | undefined {
  if (measure === 'count') return wholeNumberFault(text, 1, chosen.architecture.layers.length - 1);
  if (measure === 'divergence') return positiveFault(text);
  const wrong = measure === 'ratio' ? shareFault(text) : undefined;
  if (wrong !== undefined) return wrong;
  try {
    countOf(coppice, goalOf(valueOf(measure, text))!, chosen);
    return undefined;
  } catch (error) {
    return error instanceof UserError ? error.why : String(error);
  }
}

/** As many of the least important blocks as the limit of the divergence allows, measured on the calibration text. */
async function removedWithin(
  coppice: Coppice,
  chosen: Chosen,
  { criterion, record, set }: Scores,
  maxKl: number,
  device: CommonArguments['device'],
): Promise<readonly number[]> {
  const { config } = coppice;
  if (set !== undefined) throw noOrder(criterion);
  const { locked } = requireProtection(chosen.architecture.layers.length, config);
  const spec: CurveSpec = {
    kind: 'curve',
    checkpoint: chosen.path,
    criterion,
    ...objectiveSetting(criterion, config.objective),
    ...drawnOptions(config.calibration),
    measure: 'kl',
    maxKl,
    keepEnds: config.keepEnds,
    keep: [...locked],
    ...(record !== null && { scores: record, objective: undefined }),
  };
  const { result } = await runJob(coppice, spec, { device });
  const { removed, count } = result.within!;
  if (count > 0) return removed;
  const first = result.points.at(1);
  throw new UserError(
    vscode.l10n.t('No block can be removed within the limit'),
    first
      ? vscode.l10n.t(
          'without block {0} the divergence is {1} nats',
          first.removed.join(),
          formatNumber(Number(first.kl), 3),
        )
      : vscode.l10n.t('all blocks are protected'),
    vscode.l10n.t('Allow more, or heal the model after pruning.'),
  );
}

const noOrder = (criterion: Criterion): UserError =>
  new UserError(
    vscode.l10n.t('{0} cannot choose by a limit', criterion),
    vscode.l10n.t('it finds a set of one size, which has no order'),
    vscode.l10n.t('Choose other scores.'),
  );

/** The resulting numbers: whole blocks make them differ from the requested size. */
function meaningOf(coppice: Coppice, chosen: Chosen, criterion: Criterion, goal: Goal): string {
  if (goal.kind === 'divergence')
    return vscode.l10n.t(
      'Removes as many blocks as keep the divergence below {0} nats on the calibration text',
      goal.kl,
    );
  const count = countOf(coppice, goal, chosen);
  const blocks = chosen.architecture.layers.length;
  const scores = scoresOf(coppice, chosen, criterion);
  let removed = Array.from({ length: Math.min(count, blocks - 1) }, (_, block) => block);
  let which = '';
  try {
    const { kept } = requireProtection(blocks, coppice.config);
    if (scores && isFor(scores, count, kept))
      which = `: ${(removed = select(coppice, chosen, scores, count)).join(', ')}`;
  } catch (error) {
    return error instanceof UserError ? `${error.why}. ${error.action}` : String(error);
  }
  const { parametersAfter, bytesAfter, speedup } = planEffect(chosen.checkpoint, removed);
  const size = [
    shortCount(parametersAfter),
    formatBytes(bytesAfter),
    vscode.l10n.t('about {0} as fast', formatFactor(speedup)),
  ].join(' · ');
  return count === 1
    ? vscode.l10n.t('Removes 1 of {0} blocks{1} → {2}', blocks, which, size)
    : vscode.l10n.t('Removes {0} of {1} blocks{2} → {3}', count, blocks, which, size);
}
