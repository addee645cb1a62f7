/**
 * Suggest Blocks… among attention and FFN apart: a set to judge and heal here. It makes no plan unless whole blocks are best,
 * because no checkpoint can be written without one of the two.
 */
import * as vscode from 'vscode';
import { UserError } from '../engine/errors';
import type { Goal } from '../engine/importance/choice';
import { type Criterion, CRITERION_LIST, isSized } from '../engine/importance/criteria';
import type { ModuleCost } from '../engine/importance/module-cost';
import { formatNumber } from '../format/numbers';
import type { Chosen } from '../host/ask/choose-checkpoint';
import { positiveFault, wholeNumberFault } from '../host/ask/numbers';
import { ask, pick, type PickChoice, type Step, when } from '../host/ask/steps';
import type { CommonArguments, JobArguments } from '../host/command';
import type { Coppice } from '../host/coppice';
import { inform, nextCommand } from '../host/inform';
import { runJob } from '../host/jobs/run-job';
import { roomIn } from '../state/protection';
import { type ScoreArguments, scoreSpec, sharing } from './score-blocks';
import { knownCount } from './suggest-size';

/** Parts other than blocks, and what choosing them economizes on. */
export type ModuleArguments = JobArguments<'score', 'granularity' | 'cost'>;

export const moduleChoice = (): PickChoice<'modules'> => ({
  label: vscode.l10n.t('Attention and FFN apart'),
  detail: vscode.l10n.t('A set to judge and heal here: no checkpoint can be written without one of the two'),
  value: 'modules',
});

/** What ends the choice. */
type Until = 'count' | 'divergence';

/** What the questions lead to. */
export interface ModuleAnswers extends ModuleArguments {
  readonly until?: Until;
  readonly count?: number;
  readonly maxKl?: number;
}

/** Asks how much is to go, and what a part costs. */
export function moduleSteps<S extends ModuleAnswers>({ config }: Coppice, { architecture }: Chosen): Step<S>[] {
  const room = roomIn(architecture.layers.length, config);
  const untilStep: Step<S> = async (_, place) => {
    const { t } = vscode.l10n;
    const choices: PickChoice<Until>[] = [
      { label: t('As much as a number of blocks saves'), value: 'count' },
      {
        label: t('A limit on KL divergence'),
        detail: t('As long as the KL divergence from the original stays below it, for example 0.5 nats'),
        value: 'divergence',
      },
    ];
    return { until: await pick(place, t('Select how much is to go'), choices, 'count') } as Partial<S>;
  };
  const limitStep: Step<S> = async (_, place) => {
    const prompt = vscode.l10n.t('Largest KL divergence from the original, in nats');
    return { maxKl: Number(await ask(place, { prompt, value: '0.5', fault: positiveFault })) } as Partial<S>;
  };
  const countStep: Step<S> = async (_, place) => {
    const answer = await ask(place, {
      prompt: vscode.l10n.t('Number of blocks that attention and FFN should save as much as'),
      value: String(Math.max(1, Math.min(Math.round(architecture.layers.length / 5), room))),
      fault: (text) => wholeNumberFault(text, 1, room),
    });
    return { count: Number(answer) } as Partial<S>;
  };
  const costStep: Step<S> = async (_, place) => {
    const { t } = vscode.l10n;
    const choices: PickChoice<ModuleCost>[] = [
      { label: t('Bytes of the files'), value: 'bytes' },
      { label: t('Time'), detail: t('measured on this machine, over a few rows'), value: 'time' },
    ];
    return { cost: await pick(place, t('Select what the parts should save'), choices, 'bytes') } as Partial<S>;
  };
  return [
    untilStep,
    when(({ until }) => until && until === 'count', countStep),
    when(({ until }) => until && until === 'divergence', limitStep),
    costStep,
  ];
}

/** What chooses among modules. */
const CHOOSING = CRITERION_LIST.filter(({ name, modules }) => modules && isSized(name)).map(({ name }) => name);

/** @throws UserError where the arguments name a criterion that does not choose among modules */
function choosing(named: Criterion | undefined, shown: Criterion): Criterion {
  if (named === undefined) return CHOOSING.includes(shown) ? shown : 'greedy';
  if (CHOOSING.includes(named)) return named;
  throw new UserError(
    vscode.l10n.t('{0} cannot choose among attention and FFN', named),
    vscode.l10n.t('they are chosen by {0}', CHOOSING.join(', ')),
    vscode.l10n.t('Choose by one of these, or choose whole blocks.'),
  );
}

/**
 * How much is to go: as much as a number of blocks saves, or as long as the divergence keeps to a limit.
 * @throws UserError for a limit on perplexity and for what ships
 */
function amountOf(
  coppice: Coppice,
  chosen: Chosen,
  goal: Goal | undefined,
): Partial<Pick<ScoreArguments, 'count' | 'maxKl'>> {
  if (goal?.kind === 'divergence') return { maxKl: goal.kl };
  if (goal && goal.kind !== 'fit' && goal.kind !== 'perplexity') return { count: knownCount(coppice, goal, chosen) };
  throw new UserError(
    vscode.l10n.t('Attention and FFN cannot be suggested for this'),
    vscode.l10n.t(
      'they are judged by KL divergence, and a goal for an application ends in a file, which cannot be written without one of the two',
    ),
    vscode.l10n.t(
      'Give a limit on KL divergence, or a number of blocks, a share or a size to save as much as; or choose whole blocks.',
    ),
  );
}

/** The set. It becomes the plan only where it is of whole blocks. */
export interface ModuleSuggestion {
  readonly checkpoint: string;
  readonly criterion: Criterion;
  /** Blocks that it saves as much as; undefined where a limit was given. */
  readonly count: number | undefined;
  /** As jobs take it. */
  readonly removed: readonly (number | string)[];
}

/**
 * Chooses the set, and offers what can be done with it.
 * @param given the caller's criterion @param shown that of the scores or the settings
 */
export async function suggestModules(
  coppice: Coppice,
  chosen: Chosen,
  args: CommonArguments & ModuleArguments & Pick<ScoreArguments, 'criterion'>,
  { goal, shown }: { readonly goal: Goal | undefined; readonly shown: Criterion },
): Promise<ModuleSuggestion> {
  const { count, maxKl } = amountOf(coppice, chosen, goal);
  const criterion = choosing(args.criterion, shown);
  const { device, throws, cost } = args;
  const asked: ScoreArguments = { criterion, count, maxKl, objective: 'kl', granularity: 'module', cost, throws };
  const spec = scoreSpec(coppice, chosen, await sharing(coppice, chosen, asked));
  const { result } = await runJob(coppice, spec, { device });
  const { leftOut: removed = [], moduleSearch, removals = [] } = result;
  const kl = formatNumber(Number((moduleSearch ?? removals.at(-1))?.kl ?? 0), 3);
  const checkpoint = chosen.path;
  const { t } = vscode.l10n;
  const words =
    criterion === 'healed'
      ? t('Without {0}: KL divergence {1} nats after a quick healing.', removed.join(', '), kl)
      : t('Without {0}: KL divergence {1} nats.', removed.join(', '), kl);
  const blocks = removed.filter((part) => typeof part === 'number');
  if (blocks.length === removed.length) {
    coppice.plans.set(chosen.subject, blocks);
    inform(args, [words, t('Whole blocks cost least for what they save: they are the plan now.')].join(' '));
    return { checkpoint, criterion, count, removed };
  }
  const source = { checkpoint, remove: removed };
  inform(
    args,
    [words, t('It can be judged and healed here, not written.')].join(' '),
    nextCommand(t('Evaluate Perplexity…'), 'coppice.evaluatePerplexity', source),
    nextCommand(t('Generate Text…'), 'coppice.generateText', source),
    nextCommand(t('Heal…'), 'coppice.heal', source),
  );
  return { checkpoint, criterion, count, removed };
}
