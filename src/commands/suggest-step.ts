/** The questions of Suggest Blocks…: by which scores, how to set the size, and the size with what it gives. */
import * as vscode from 'vscode';
import { parametersOf } from '../engine/checkpoint/parameters';
import { UserError } from '../engine/errors';
import type { Criterion } from '../engine/importance/criteria';
import type { Goal } from '../engine/importance/choice';
import { parseParameterCount } from '../engine/importance/count';
import { option } from '../engine/option-token';
import { formatBytes, formatFactor, shortCount } from '../format/numbers';
import type { Chosen } from '../host/ask/choose-checkpoint';
import type { CommonArguments, JobArguments } from '../host/command';
import type { Coppice } from '../host/coppice';
import { criterionChoices, pickCriterion } from '../host/ask/criteria';
import { scoringTime } from '../host/ask/job-time';
import { exportSize } from '../host/ask/export-sizes';
import { refusalWords } from '../host/ask/format-choices';
import { parseShare, positiveFault, shareFault, wholeNumberFault } from '../host/ask/numbers';
import { recall, remember } from '../host/ask/remembered';
import { type GoalAnswers, goalFrom, goalSteps, goalWords, ratioFault } from '../host/ask/ship-goal';
import { ask, askAll, type PickChoice, pick, type Step, when } from '../host/ask/steps';
import { planEffect } from '../jobs/plan-effect';
import type { ShipGoal } from '../protocol/journey';
import { protectionOf, requireProtection } from '../state/protection';
import { scoresOf } from './score-blocks';
import { type ModuleAnswers, type ModuleArguments, moduleChoice, moduleSteps } from './suggest-modules';
import { anyBlocks, isFor, knownCount, select } from './suggest-size';

export interface SuggestArguments
  extends CommonArguments, ModuleArguments, JobArguments<'prune', 'criterion' | 'count' | 'ratio' | 'maxKl'> {
  /** "5.4B", or a number. */
  readonly targetParams?: string | number;
  /** As many as keep the perplexity on the calibration text below this many times the whole model's. */
  readonly maxRatio?: number;
  /** What the family's goal needs: its size, or else its perplexity. */
  readonly goal?: boolean;
}

/** Ways to set the size; a box asks for each but the goal. */
type Measure = Exclude<Goal['kind'], 'fit'>;

interface State extends SuggestArguments, GoalAnswers, Pick<ModuleAnswers, 'until'> {
  readonly measure?: Measure | 'goal' | 'newGoal' | 'scores' | 'modules';
}

/** @returns undefined where the arguments leave the size open */
export function goalOf({
  count,
  ratio,
  targetParams,
  maxKl,
  maxRatio,
}: SuggestArguments): Exclude<Goal, { kind: 'fit' }> | undefined {
  if (maxKl !== undefined) return { kind: 'divergence', kl: maxKl };
  if (maxRatio !== undefined) return { kind: 'perplexity', ratio: maxRatio };
  if (count !== undefined) return { kind: 'count', count };
  if (ratio !== undefined) return { kind: 'ratio', ratio };
  if (targetParams === undefined) return undefined;
  return { kind: 'target', parameters: parseParameterCount(String(targetParams), option('targetParams')) };
}

/** The criteria to decide by, with the time that each takes. Existing scores take no time. */
export function decidingChoices(coppice: Coppice, chosen: Chosen): readonly PickChoice<Criterion>[] {
  const blocks = chosen.architecture.layers.length;
  const exact = Math.floor(blocks / 4) + protectionOf(blocks, coppice.config).kept.size; // how many go is asked later
  const estimate = (criterion: Criterion): string | undefined =>
    scoresOf(coppice, chosen, criterion) ? undefined : scoringTime(coppice, chosen, criterion, exact);
  return criterionChoices(chosen.architecture, estimate).map((choice) =>
    scoresOf(coppice, chosen, choice.value) ? { ...choice, description: vscode.l10n.t('scored') } : choice,
  );
}

/**
 * Asks for what the arguments leave open.
 * @param shipping the goal of the model's family, which is offered first
 * @returns the answers, with a new goal where the user has set one
 */
export async function askSuggestion(
  coppice: Coppice,
  args: SuggestArguments,
  chosen: Chosen,
  title: string,
  shipping: ShipGoal | undefined,
): Promise<SuggestArguments & { readonly newGoal?: ShipGoal }> {
  const scored = scoresOf(coppice, chosen)?.criterion;
  const criterionStep: Step<State> = async (_, place) => {
    const choices = decidingChoices(coppice, chosen);
    const active = scored ?? coppice.config.criterion;
    return { criterion: await pickCriterion(place, vscode.l10n.t('Choose blocks by'), choices, active) };
  };
  /** @param other whether to offer other scores to decide by: the caller was not asked which scores */
  const measureStep =
    (other: boolean): Step<State> =>
    async (_, place) => {
      const last = recall<string>(coppice, 'suggest', 'measure', 'count') as Measure;
      const active = shipping ? 'goal' : last;
      const sizes = measureChoices(shipping, await goalRefusal(chosen, shipping));
      const choices = other ? [...sizes, otherScores(scored!)] : sizes;
      return { measure: await pick(place, vscode.l10n.t('Select how to set the size'), choices, active) };
    };
  const isKnown = args.criterion !== undefined || scored !== undefined;
  const wantsOther = ({ measure }: State): boolean | undefined => measure && measure === 'scores';
  const asksGoal = ({ measure }: State): boolean | undefined => measure && measure === 'newGoal';
  const wantsModules = ({ measure }: State): boolean | undefined => measure && measure === 'modules';
  const valueStep = when<State>(
    ({ measure }) => measure && !['goal', 'newGoal', 'scores', 'modules'].includes(measure),
    async (state, place) => {
      const measure = state.measure as Measure;
      const answer = await ask(place, {
        prompt: valuePrompt(measure),
        value: defaultValue(coppice, measure, chosen),
        fault: (text) => valueFault(coppice, measure, text, chosen),
        meaning: (text) => meaningOf(coppice, chosen, state.criterion!, goalOf(valueOf(measure, text))!),
      });
      return valueOf(measure, answer);
    },
  );
  const ofModules = moduleSteps<State>(coppice, chosen);
  if (args.granularity === 'module') return askAll<State>(title, args, ofModules);
  const start: State = { ...args, ...(isKnown && { criterion: args.criterion ?? scored }) };
  const {
    measure,
    until: _until,
    format,
    type,
    size,
    perplexity,
    repetition,
    same,
    probes,
    ...answers
  } = await askAll<State>(title, start, [
    ...(isKnown ? [] : [criterionStep]),
    measureStep(args.criterion === undefined && scored !== undefined),
    when(wantsOther, criterionStep),
    when(wantsOther, measureStep(false)),
    ...goalSteps<State>(coppice, chosen, shipping).map((step) => when(asksGoal, step)),
    ...ofModules.map((step) => when(wantsModules, step)),
    valueStep,
  ]);
  // What chooses blocks need not choose among modules.
  if (measure === 'modules') return { ...answers, criterion: args.criterion, granularity: 'module' };
  if (measure === 'newGoal') {
    return { ...answers, goal: true, newGoal: goalFrom({ format, type, size, perplexity, repetition, same, probes }) };
  }
  if (measure === 'goal') return { ...answers, goal: true };
  await rememberAnswers(coppice, measure, answers);
  return answers;
}

async function rememberAnswers(coppice: Coppice, measure: State['measure'], answers: SuggestArguments): Promise<void> {
  const { count, ratio, targetParams, maxKl, maxRatio } = answers;
  await remember(coppice, 'suggest', {
    measure,
    divergence: maxKl,
    perplexity: maxRatio,
    count,
    ratio,
    targetParams: targetParams === undefined ? undefined : String(targetParams),
  });
}

/** Asks for a number of blocks to remove by this criterion, and says what it gives. */
export function askCount(
  coppice: Coppice,
  chosen: Chosen,
  criterion: Criterion,
  place: Parameters<Step<unknown>>[1],
): Promise<string> {
  return ask(place, {
    prompt: valuePrompt('count'),
    value: defaultValue(coppice, 'count', chosen),
    fault: (text) => valueFault(coppice, 'count', text, chosen),
    meaning: (text) => meaningOf(coppice, chosen, criterion, { kind: 'count', count: Number(text) }),
  });
}

/** Why the model cannot be written as the goal asks; undefined if it can, or without a goal. */
async function goalRefusal({ checkpoint }: Chosen, shipping: ShipGoal | undefined): Promise<string | undefined> {
  if (!shipping) return undefined;
  try {
    await exportSize(checkpoint, { format: shipping.format, type: shipping.type, removed: [] });
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return refusalWords(error);
    throw error;
  }
}

/** The scores that are there decide, unless the user asks for others. */
const otherScores = (scored: Criterion): PickChoice<NonNullable<State['measure']>> => ({
  label: vscode.l10n.t('$(symbol-color) By other scores…'),
  detail: vscode.l10n.t('Without this, the scores by {0} decide', scored),
  value: 'scores',
});

function measureChoices(
  shipping: ShipGoal | undefined,
  refused: string | undefined,
): PickChoice<NonNullable<State['measure']>>[] {
  const { t } = vscode.l10n;
  const goal = { label: t('$(target) The goal'), detail: shipping && goalWords(shipping), value: 'goal' as const };
  return [
    ...(shipping ? [{ ...goal, ...(refused !== undefined && { refused }) }] : []),
    { label: t('A number of blocks'), detail: t('For example 6'), value: 'count' },
    { label: t('A share of the parameters (at most)'), detail: t('For example 20 %'), value: 'ratio' },
    {
      label: t('A limit on perplexity'),
      detail: t('As many as keep it below a multiple of the original’s, for example 1.3'),
      value: 'perplexity',
    },
    {
      label: t('A limit on KL divergence'),
      detail: t('As many as keep the KL divergence from the original below it, for example 0.5 nats'),
      value: 'divergence',
    },
    { label: t('A target size (at least)'), detail: t('For example 110M parameters'), value: 'target' },
    moduleChoice(),
    {
      label: shipping ? t('$(target) Another goal…') : t('$(target) A goal for your application…'),
      detail: t('The size of its file, for example 120 MB, and the perplexity that is still good enough'),
      value: 'newGoal',
    },
  ];
}

function valuePrompt(measure: Measure): string {
  if (measure === 'count') return vscode.l10n.t('Number of blocks to remove');
  if (measure === 'ratio') return vscode.l10n.t('Largest share of the parameters to remove');
  if (measure === 'divergence') return vscode.l10n.t('Largest KL divergence from the original, in nats');
  if (measure === 'perplexity') return vscode.l10n.t('Largest perplexity, in multiples of the original’s');
  return vscode.l10n.t('Smallest number of parameters to keep');
}

/** The last value if this model allows it; otherwise about a fifth of the model, as in the paper. */
function defaultValue(coppice: Coppice, measure: Measure, chosen: Chosen): string {
  const blocks = chosen.architecture.layers.length;
  const room = blocks - protectionOf(blocks, coppice.config).kept.size;
  const last = lastValue(coppice, measure);
  const fits = last !== '' && valueFault(coppice, measure, last, chosen) === undefined;
  if (fits && knownCount(coppice, goalOf(valueOf(measure, last))!, chosen) <= room) return last;
  if (measure === 'ratio') return '0.2';
  if (measure === 'divergence') return '0.5';
  if (measure === 'perplexity') return '1.3';
  if (measure === 'target') return shortCount(0.8 * parametersOf(chosen.architecture));
  return String(Math.max(1, Math.min(Math.round(blocks / 5), room)));
}

/** Empty if there is none. */
function lastValue(coppice: Coppice, measure: Measure): string {
  if (measure === 'target') return recall(coppice, 'suggest', 'targetParams', '');
  const value = recall(coppice, 'suggest', measure, 0);
  return value > 0 ? String(value) : '';
}

const valueOf = (measure: Measure, text: string): SuggestArguments => {
  if (measure === 'count') return { count: Number(text) };
  if (measure === 'divergence') return { maxKl: Number(text) };
  if (measure === 'perplexity') return { maxRatio: Number(text) };
  return measure === 'ratio' ? { ratio: parseShare(text) } : { targetParams: text.trim() };
};

function valueFault(coppice: Coppice, measure: Measure, text: string, chosen: Chosen): string | undefined {
  if (measure === 'count') return wholeNumberFault(text, 1, chosen.architecture.layers.length - 1);
  if (measure === 'divergence') return positiveFault(text);
  if (measure === 'perplexity') return text.trim() === '' ? ratioFault('0') : ratioFault(text);
  const wrong = measure === 'ratio' ? shareFault(text) : undefined;
  if (wrong !== undefined) return wrong;
  try {
    knownCount(coppice, goalOf(valueOf(measure, text))!, chosen);
    return undefined;
  } catch (error) {
    return error instanceof UserError ? error.why : String(error);
  }
}

/** The resulting numbers: whole blocks make them differ from the requested size. */
function meaningOf(
  coppice: Coppice,
  chosen: Chosen,
  criterion: Criterion,
  goal: Exclude<Goal, { readonly kind: 'fit' }>,
): string {
  const { t } = vscode.l10n;
  if (goal.kind === 'divergence')
    return t('Removes as many blocks as keep the KL divergence below {0} nats on the calibration text', goal.kl);
  if (goal.kind === 'perplexity')
    return t(
      'Removes as many blocks as keep the perplexity below {0} on the calibration text',
      formatFactor(goal.ratio),
    );
  const count = knownCount(coppice, goal, chosen);
  const blocks = chosen.architecture.layers.length;
  const scores = scoresOf(coppice, chosen, criterion);
  let removed = anyBlocks(chosen, Math.min(count, blocks - 1));
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
    t('about {0} as fast', formatFactor(speedup)),
  ].join(' · ');
  return count === 1
    ? t('Removes 1 of {0} blocks{1} → {2}', blocks, which, size)
    : t('Removes {0} of {1} blocks{2} → {3}', count, blocks, which, size);
}
