/** Prune Iteratively…: removes one block after another, and heals and scores the rest after each. */
import { shareFor } from '../host/ask/judging-text';
import * as vscode from 'vscode';
import { type Criterion, objectiveSetting } from '../engine/importance/criteria';
import { requireRoom } from '../engine/importance/select';
import type { IterativeMethod } from '../engine/iterate/methods';
import type { GivenFor } from '../jobs/kinds';
import { drawnOptions } from '../jobs/options/calibration';
import type { IterateSpec } from '../protocol/jobs';
import { protectionOf, requireProtection } from '../state/protection';
import { type Chosen, chooseCheckpoint } from '../host/ask/choose-checkpoint';
import { chooseFile } from '../host/ask/choose-file';
import type { Command, CommonArguments, JobArguments } from '../host/command';
import type { Coppice } from '../host/coppice';
import { criterionChoices, pickCriterion } from '../host/ask/criteria';
import { usualHealingText } from '../host/ask/healing';
import { SELF } from '../jobs/healing-amounts';
import { jobMemory, jobTime } from '../host/ask/job-time';
import type { Time } from '../estimates/machine';
import { markedTime, memoryWords } from '../estimates/words';
import { noRoundsWords } from '../host/ask/no-healing';
import { positiveFault, wholeNumberFault } from '../host/ask/numbers';
import { askOutputFolder, outputFolder } from '../host/ask/output-folder';
import { recall, remember } from '../host/ask/remembered';
import { goOnIterating, runIterating } from '../host/jobs/run-iterating';
import { settingsText } from '../host/ask/settings-text';
import { ask, askAll, type PickChoice, pick, type Step, when } from '../host/ask/steps';

/** When it ends. */
type Measure = 'count' | 'maxKl' | 'maxPpl';

export interface IterateArguments
  extends
    CommonArguments,
    JobArguments<
      'iterate',
      'criterion' | 'count' | 'maxKl' | 'maxPpl' | 'method' | 'steps' | 'oneShot' | 'out' | 'resume'
    > {
  /** A file of text, or "self" for text that the unpruned model writes. */
  readonly data?: string;
  /** Further options of `coppice iterate`. */
  readonly settings?: Partial<Omit<GivenFor<'iterate'>, 'checkpoint' | 'out'>>;
}

interface State extends IterateArguments {
  readonly measure?: Measure;
}

export const pruneIterativelyCommand: Command<IterateArguments> = {
  id: 'coppice.iterate',
  needsTrust: true,
  goOn: goOnIterating,
  async run(coppice, args, settle) {
    const title = vscode.l10n.t('Prune Iteratively');
    const chosen = await chooseCheckpoint(coppice, args, title);
    const { kept } = requireProtection(chosen.architecture.layers, coppice.config); // before any question
    requireRoom(chosen.architecture.layers.length, args.count ?? 1, kept);
    const complete = args.out === undefined ? await askIterating(coppice, args, chosen, title) : args;
    settle({ ...complete, checkpoint: chosen.path });
    const part = await shareFor(coppice, coppice.config.calibration.file, { ...args, path: chosen.path });
    return runIterating(coppice, { ...specOf(coppice, complete, chosen), ...part }, args);
  },
};

function specOf({ config }: Coppice, args: IterateArguments, { path, architecture }: Chosen): IterateSpec {
  const { criterion = config.criterion, count, maxKl, maxPpl, method, steps, data, oneShot, out, resume } = args;
  const { locked } = requireProtection(architecture.layers, config);
  const drawn = drawnOptions(config.calibration);
  return {
    kind: 'iterate',
    checkpoint: path,
    criterion,
    ...objectiveSetting(criterion, config.objective),
    ...{ count, maxKl, maxPpl, method, steps, oneShot },
    keepEnds: config.keepEnds,
    keep: [...locked],
    ...{ ...drawn, length: Math.min(drawn.length ?? architecture.context, architecture.context) },
    // The text of the settings, which is also that of the scores, is the default of the job.
    ...(data !== undefined && data !== config.calibration.file && { data: [data] }),
    ...args.settings,
    out: out!,
    ...(resume && { resume }),
  };
}

/** A way of healing with its steps, as one answer. */
const METHODS = [
  { method: 'lora', steps: 50 },
  { method: 'lora', steps: 200 },
  { method: 'full', steps: 50 },
  { method: 'refit', steps: undefined },
  { method: 'none', steps: undefined },
] as const satisfies readonly { readonly method: IterativeMethod; readonly steps: number | undefined }[];

const DAY = 24 * 60 * 60;

const iterationTime = (coppice: Coppice, chosen: Chosen, state: State): Time | undefined =>
  jobTime(coppice, chosen, specOf(coppice, state, chosen));

/** "about 12:00", or "at most 2 h 10 min" where a limit may end the run before. */
function iterationWords(coppice: Coppice, chosen: Chosen, state: State): string {
  const time = iterationTime(coppice, chosen, state);
  const words = time ? markedTime(time) : vscode.l10n.t('not known');
  return state.count === undefined ? vscode.l10n.t('at most {0}', words) : words;
}

/** The first way that ends within a day; where none does, none heals soonest. */
const endingToday = (coppice: Coppice, chosen: Chosen, state: State): (typeof METHODS)[number] =>
  METHODS.find(
    (way) =>
      noRoundsWords(chosen.architecture, way.method) === undefined &&
      (iterationTime(coppice, chosen, { ...state, ...way })?.seconds ?? DAY) < DAY,
  ) ?? METHODS[METHODS.length - 1];

const keyOf = ({ method, steps }: { method: IterativeMethod; steps?: number }): string =>
  steps === undefined ? method : `${method} ${steps}`;

async function askIterating(coppice: Coppice, args: IterateArguments, chosen: Chosen, title: string): Promise<State> {
  const { config } = coppice;
  const blocks = chosen.architecture.layers.length;
  const room = blocks - protectionOf(blocks, config).kept.size;
  const isGiven = args.count !== undefined || args.maxKl !== undefined || args.maxPpl !== undefined;
  const criterionStep: Step<State> = async (_, place) => {
    const active = recall<string>(coppice, 'iterate', 'criterion', config.criterion) as Criterion;
    const question = vscode.l10n.t('Choose blocks by (measured again after every block)');
    return { criterion: await pickCriterion(place, question, criterionChoices(chosen.architecture), active) };
  };
  const measureStep: Step<State> = async (_, place) => {
    const active = recall<string>(coppice, 'iterate', 'measure', 'count') as Measure;
    return { measure: await pick(place, vscode.l10n.t('Select when to stop'), measureChoices(), active) };
  };
  const valueStep: Step<State> = async ({ measure = 'count' }, place) => {
    const usual = { count: Math.max(1, Math.min(Math.round(blocks / 5), room)), maxKl: 0.5, maxPpl: 50 }[measure];
    const value = await ask(place, {
      prompt: valuePrompt(measure),
      value: String(recall(coppice, 'iterate', measure, usual)),
      fault: (text) => (measure === 'count' ? wholeNumberFault(text, 1, room) : positiveFault(text)),
    });
    return { [measure]: Number(value) };
  };
  const methodStep: Step<State> = async (state, place) => {
    const choices = METHODS.map((way): PickChoice<string> => {
      const time = iterationWords(coppice, chosen, { ...state, ...way });
      const refused = noRoundsWords(chosen.architecture, way.method);
      const words = { label: methodLabel(way.method), description: methodWords(way.steps, time), value: keyOf(way) };
      return { ...words, ...(refused !== undefined && { refused }) };
    });
    const active = recall(coppice, 'iterate', 'method', keyOf(endingToday(coppice, chosen, state)));
    const key = await pick(place, vscode.l10n.t('Select how to heal after every block'), choices, active);
    const way = METHODS.find((each) => keyOf(each) === key);
    return { method: way!.method, steps: way!.steps };
  };
  const dataStep: Step<State> = async (_, place) => {
    const self = {
      label: vscode.l10n.t('$(sparkle) Text that the original writes'),
      description: vscode.l10n.t('needs no data'),
      value: SELF,
    };
    const fixed = config.usesBundledText ? [self] : [settingsText(coppice), self];
    const active = recall(coppice, 'iterate', 'data', usualHealingText(coppice), config.calibration.file);
    const placeholder = vscode.l10n.t('Which text should the model be healed on? Best: text like what your app sends.');
    return { data: await chooseFile(coppice, place, { placeholder, use: 'training', fixed, active }) };
  };
  const compareStep: Step<State> = async (state, place) => {
    const time = (oneShot: boolean): string => iterationWords(coppice, chosen, { ...state, oneShot });
    const choices = [
      { label: vscode.l10n.t('One by one only'), description: time(false), value: 'no' },
      {
        label: vscode.l10n.t('Compare with all at once'),
        description: time(true),
        detail: vscode.l10n.t('Also removes as many blocks at once and heals as long; the results show both'),
        value: 'yes',
      },
    ];
    const active = recall(coppice, 'iterate', 'oneShot', 'no');
    const answer = await pick(place, vscode.l10n.t('Compare with removing all at once?'), choices, active);
    return { oneShot: answer === 'yes' };
  };
  const outStep: Step<State> = async (state, place) => {
    const suffix = state.count === undefined ? 'iterative' : `${blocks - state.count}-blocks-iterative`;
    const out = await askOutputFolder(place, {
      prompt: vscode.l10n.t('Folder for the new checkpoint'),
      value: outputFolder(config.outputFolder, chosen.checkpoint, suffix),
      meaning: () => {
        const bytes = jobMemory(coppice, chosen, specOf(coppice, state, chosen));
        const words = [iterationWords(coppice, chosen, state), ...(bytes === undefined ? [] : [memoryWords(bytes)])];
        return vscode.l10n.t('Takes {0}. Press Enter to start.', words.join(' · '));
      },
    });
    return { out };
  };
  const state = await askAll<State>(title, args, [
    ...(args.criterion === undefined ? [criterionStep] : []),
    ...(isGiven ? [] : [measureStep, valueStep]),
    ...(args.method === undefined ? [methodStep] : []),
    ...(args.data === undefined ? [when(({ method }) => method && method !== 'none', dataStep)] : []),
    ...(args.oneShot === undefined ? [compareStep] : []),
    outStep,
  ]);
  await rememberAnswers(coppice, args, state, isGiven);
  return state;
}

async function rememberAnswers(
  coppice: Coppice,
  args: IterateArguments,
  state: State,
  isGiven: boolean,
): Promise<void> {
  const { criterion, measure, count, maxKl, maxPpl, method, steps, data, oneShot } = state;
  await remember(coppice, 'iterate', {
    ...(args.criterion === undefined && { criterion }),
    ...(!isGiven && { measure, count, maxKl, maxPpl }),
    ...(args.method === undefined && method && { method: keyOf({ method, steps }) }),
    ...(args.oneShot === undefined && { oneShot: oneShot ? 'yes' : 'no' }),
  });
  if (args.data === undefined) await remember(coppice, 'iterate', { data }, { data: coppice.config.calibration.file });
}

function measureChoices(): PickChoice<Measure>[] {
  const { t } = vscode.l10n;
  return [
    { label: t('After a number of blocks'), detail: t('For example 6'), value: 'count' },
    {
      label: t('At a limit on KL divergence'),
      detail: t('KL divergence from the original in nats, for example 0.5'),
      value: 'maxKl',
    },
    { label: t('At a limit on perplexity'), detail: t('On the calibration text, for example 50'), value: 'maxPpl' },
  ];
}

function valuePrompt(measure: Measure): string {
  if (measure === 'count') return vscode.l10n.t('Number of blocks to remove');
  if (measure === 'maxKl') return vscode.l10n.t('Largest KL divergence from the original, in nats');
  return vscode.l10n.t('Largest perplexity on the calibration text');
}

function methodLabel(method: IterativeMethod): string {
  const { t } = vscode.l10n;
  if (method === 'lora') return t('Train an adapter (LoRA)');
  if (method === 'full') return t('Train all weights');
  return method === 'none' ? t('Do not heal') : t('Correct the weights in closed form');
}

const methodWords = (steps: number | undefined, time: string): string =>
  steps === undefined ? time : vscode.l10n.t('{0} steps a round · {1}', steps, time);
