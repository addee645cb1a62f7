/** The questions of a retraining after its model and data: how long, or everything in steps, and a summary at the end. */
import * as vscode from 'vscode';
import type { Architecture } from '../../engine/checkpoint/architecture';
import { DEFAULTS } from '../../engine/retrain/defaults';
import type { GivenFor } from '../../jobs/kinds';
import { HEAL_FIRST, NO_HEALING } from '../../jobs/heals-first';
import { MOST_PASSES, type Preset, rateFor, usualPreset } from '../../jobs/retrain-amounts';
import type { Chosen } from './choose-checkpoint';
import type { CommonArguments } from '../command';
import type { Coppice } from '../coppice';
import { checkpointBytes } from './disk-space';
import { markedTime, memoryWords } from '../../estimates/words';
import type { ModelChoice } from './model-choice';
import { positiveFault, wholeNumberFault } from './numbers';
import { recall } from './remembered';
import { ask, type PickChoice, pick, type Place, type Step, when } from './steps';
import { forecastTraining, type TrainingForecast, type TrainingQuestion, trainingPresets } from './training-estimate';
import { forecastWords, presetAmount, presetLabel, timeAndEnd } from './training-words';

/** All answers, in the order of the questions. */
export interface TrainingState extends CommonArguments, Omit<ModelChoice, 'adapter'> {
  /** Files, "bundled" or "self". */
  readonly data?: string | readonly string[];
  readonly preset?: Preset['name'] | 'custom';
  readonly rank?: number;
  readonly alpha?: number;
  /** Steps; undefined means two passes over the data, or the epochs of the settings. */
  readonly steps?: number;
  /** Further options of `coppice retrain`. */
  readonly settings?: Partial<Omit<GivenFor<'retrain'>, 'checkpoint' | 'data' | 'out'>>;
  /** Folder of the adapter, or of the checkpoint. */
  readonly out?: string;
}

type Settings = NonNullable<TrainingState['settings']>;
type Answer = Partial<TrainingState>;

/** What is known before the questions. */
export interface TrainingSubject {
  readonly coppice: Coppice;
  readonly chosen: Chosen;
  /** Absolute paths of the data, or "self"; and the blocks that are left out. */
  readonly question: (state: TrainingState) => Pick<TrainingQuestion, 'data' | 'removed'>;
  /** The model that can teach, by the answers so far; undefined where there is none. */
  readonly teacher: (
    state: TrainingState,
  ) => { readonly path: string; readonly architecture: Architecture } | undefined;
}

export function forecastOf(subject: TrainingSubject, state: TrainingState): TrainingForecast {
  const { coppice, chosen } = subject;
  return forecastTraining(coppice, chosen, questionOf(subject, state));
}

/** Bytes of the checkpoint that a full retraining writes; undefined for an adapter, which is small. */
export async function trainedBytes(
  { chosen, question }: TrainingSubject,
  state: TrainingState,
): Promise<number | undefined> {
  return state.settings?.full ? checkpointBytes(chosen.checkpoint, question(state).removed) : undefined;
}

function questionOf(subject: TrainingSubject, state: TrainingState): TrainingQuestion {
  const { rank, steps, settings = {} } = state;
  const { full, batch, length, epochs, heldOut, teacher, heal } = settings;
  const teaches = teacher === undefined ? undefined : subject.teacher(state);
  return { ...subject.question(state), rank, steps, full, batch, length, epochs, heldOut, heal, teacher: teaches };
}

/** Healing first, or the training alone; where blocks are left out. */
export function healingStep(subject: TrainingSubject): Step<TrainingState> {
  const { t } = vscode.l10n;
  const step: Step<TrainingState> = async (state, place) => {
    const value = await pick(
      place,
      t('Select what is done with the model that the plan leaves'),
      [
        {
          label: t('$(heart) Heal and Train'),
          description: t('default'),
          detail: t('corrects the other blocks by least squares first, with text that the original writes'),
          value: HEAL_FIRST,
        },
        {
          label: t('$(mortar-board) Train Only'),
          description: '',
          detail: t('starts from the weights as they are'),
          value: NO_HEALING,
        },
      ],
      recall(subject.coppice, 'retrain', 'heal', HEAL_FIRST),
    );
    return withSetting(state, 'heal', value);
  };
  return when((state) => subject.question(state).removed.length > 0, step);
}

/** Short trainings, long ones, two passes, or everything in steps. */
export function presetStep(subject: TrainingSubject): Step<TrainingState> {
  const { coppice, chosen } = subject;
  return async (state, place) => {
    const taught = withTeacher(subject, state);
    const { presets, secondsOf } = trainingPresets(coppice, chosen, questionOf(subject, taught));
    const { known, length: usual } = forecastOf(subject, taught);
    const choices = presets.map((preset): PickChoice<string> => {
      const forecast = forecastOf(subject, { ...taught, ...answerOf(preset, taught, known) });
      return {
        label: presetLabel(preset, markedTime(forecast.time)),
        description: presetWords(preset, forecast),
        detail: [...presetAmount(preset, forecast, usual), memoryWords(forecast.bytes)].join(' · '),
        value: preset.name,
      };
    });
    const custom = {
      label: vscode.l10n.t('Custom…'),
      description: vscode.l10n.t('method, rank, learning rate, batch, length, steps, teacher'),
      value: 'custom',
    };
    const last = recall<string>(coppice, 'retrain', 'preset', '');
    const active = usualPreset(presets, secondsOf, last)?.name ?? custom.value;
    const name = await pick(place, vscode.l10n.t('Select how long to retrain'), [...choices, custom], active);
    const preset = presets.find((each) => each.name === name);
    return preset ? { preset: preset.name, ...answerOf(preset, taught, known) } : { preset: 'custom' };
  };
}

/** What a plan leaves is taught by the original: it comes further in the same time than on the text alone (`npm run bench -- healing`). */
function withTeacher({ teacher }: TrainingSubject, state: TrainingState): TrainingState {
  const original = teacher(state);
  return original ? { ...state, ...withSetting(state, 'teacher', original.path) } : state;
}

/**
 * What was said is what is done: so many steps of so many rows, also where the tokenizer cuts a text into other rows than its size
 * tells. Data of which nothing is known end a training themselves.
 */
function answerOf(preset: Preset, { settings }: TrainingState, known: boolean): TrainingState {
  const { name, steps, batch, length, limited } = preset;
  if (!known && name === 'passes') return { settings };
  if (!known && limited) return { settings: { ...settings, epochs: MOST_PASSES } };
  return { steps, settings: { ...settings, batch, length, lr: rateFor(steps * batch) } };
}

function presetWords({ name, limited }: Preset, forecast: TrainingForecast): string {
  if (name === 'passes') return '';
  const time = timeAndEnd(forecast);
  return limited ? vscode.l10n.t('{0}: limited, more passes over this data would help little', time) : time;
}

/** Everything in steps, where that was chosen. Enter takes each default. */
export function customSteps(subject: TrainingSubject): Step<TrainingState>[] {
  const { t } = vscode.l10n;
  const { chosen } = subject;
  const { lora, full } = DEFAULTS;
  const context = chosen.architecture.context;
  const isFull = ({ settings }: TrainingState): boolean => settings?.full === true;
  const number = (
    name: 'lr' | 'batch' | 'length',
    prompt: string,
    usual: (state: TrainingState) => number,
    fault: (text: string) => string | undefined,
  ): Step<TrainingState> =>
    inputStep(subject, { prompt, usual, fault, answer: (state, value) => withSetting(state, name, value) });
  const steps = [
    methodStep(subject),
    when((state) => state.preset === 'custom' && !isFull(state), rankStep(subject)),
    number('lr', t('Learning rate'), (state) => (isFull(state) ? full : lora).learningRate, positiveFault),
    number(
      'batch',
      t('Batch size (rows per step)'),
      (state) => forecastOf(subject, state).batch,
      (text) => wholeNumberFault(text, 1, 100_000),
    ),
    number(
      'length',
      t('Maximum tokens per row'),
      () => Math.min(DEFAULTS.length, context),
      (text) => wholeNumberFault(text, 2, context),
    ),
    inputStep(subject, {
      prompt: t('Number of training steps'),
      usual: (state) => forecastOf(subject, state).steps,
      fault: (text) => wholeNumberFault(text, 1, Infinity),
      answer: (_, steps) => ({ steps }),
    }),
    when((state) => state.preset === 'custom' && subject.teacher(state) !== undefined, teacherStep(subject)),
    heldOutStep(subject),
  ];
  const isCustom = ({ preset }: TrainingState): boolean | undefined =>
    preset === undefined ? undefined : preset === 'custom';
  return steps.map((step) => (step.comes ? step : when(isCustom, step)));
}

const withSetting = ({ settings }: TrainingState, name: keyof Settings, value: Settings[keyof Settings]): Answer => ({
  settings: { ...settings, [name]: value },
});

interface NumberQuestion {
  readonly prompt: string;
  readonly usual: (state: TrainingState) => number;
  readonly fault: (text: string) => string | undefined;
  readonly answer: (state: TrainingState, value: number) => Answer;
}

/** A number, with what follows from it while it is typed. */
function inputStep(subject: TrainingSubject, { prompt, usual, fault, answer }: NumberQuestion): Step<TrainingState> {
  return async (state, place) => {
    // What follows from the answer takes the place of the prompt, so the title asks too.
    const text = await ask(
      { ...place, title: vscode.l10n.t('{0}: {1}', place.title, prompt) },
      {
        prompt,
        value: String(usual(state)),
        fault,
        meaning: (typed) => forecastWords(forecastOf(subject, { ...state, ...answer(state, Number(typed)) })),
      },
    );
    return answer(state, Number(text));
  };
}

/** A choice, each with what follows from it. */
async function pickForecast<T>(
  subject: TrainingSubject,
  state: TrainingState,
  place: Place,
  placeholder: string,
  choices: readonly (PickChoice<T> & { readonly answer: Answer })[],
  active?: T,
): Promise<Answer> {
  const shown = choices.map(({ answer, ...choice }) => ({
    ...choice,
    detail: forecastWords(forecastOf(subject, { ...state, ...answer })),
  }));
  const value = await pick<T>(place, placeholder, shown, active);
  return choices.find((each) => each.value === value)!.answer;
}

function methodStep(subject: TrainingSubject): Step<TrainingState> {
  const { t } = vscode.l10n;
  return (state, place) =>
    pickForecast(subject, state, place, t('Select what to train'), [
      {
        label: t('An adapter (LoRA)'),
        description: t('a small file beside the model, which can be merged into it'),
        value: 'lora',
        answer: withSetting(state, 'full', undefined),
      },
      {
        label: t('All weights'),
        description: t('writes a new checkpoint; for much data'),
        value: 'full',
        answer: withSetting(state, 'full', true),
      },
    ]);
}

function rankStep(subject: TrainingSubject): Step<TrainingState> {
  return (state, place) =>
    pickForecast(
      ...([subject, state, place] as const),
      vscode.l10n.t('Select the rank of the adapter. A higher rank can learn more and takes longer.'),
      [4, 8, 16, 32].map((value) => ({
        label: String(value),
        description: value === DEFAULTS.rank ? vscode.l10n.t('default, as in the paper') : '',
        value,
        answer: { rank: value },
      })),
      recall(subject.coppice, 'retrain', 'rank', DEFAULTS.rank),
    );
}

function teacherStep(subject: TrainingSubject): Step<TrainingState> {
  const { t } = vscode.l10n;
  return (state, place) =>
    pickForecast(subject, state, place, t('Use the original as a teacher (distillation)?'), [
      { label: t('No'), value: 'no', answer: withSetting(state, 'teacher', undefined) },
      {
        label: t('Yes'),
        description: t('trains on its predictions as well as the text'),
        value: 'yes',
        answer: withSetting(state, 'teacher', subject.teacher(state)!.path),
      },
    ]);
}

function heldOutStep(subject: TrainingSubject): Step<TrainingState> {
  const { t } = vscode.l10n;
  return (state, place) =>
    pickForecast<number>(subject, state, place, t('Select how much of the data to hold out for validation'), [
      {
        label: t('A twentieth, at most 64 rows'),
        description: t('default'),
        value: -1,
        answer: withSetting(state, 'heldOut', undefined),
      },
      { label: t('A tenth'), value: 0.1, answer: withSetting(state, 'heldOut', 0.1) },
      {
        label: t('Nothing'),
        description: t('keeps the last step, because nothing measures which is best'),
        value: 0,
        answer: withSetting(state, 'heldOut', 0),
      },
    ]);
}
