/** Converts the options of a retraining to the engine's settings, and back. */
import { linearOfTarget, TARGET_NAMES, targetOf } from '../engine/adapter/names';
import type { LinearName } from '../engine/checkpoint/architecture';
import type { TrainingRequest } from '../engine/retrain/request';
import type { RetrainSettings } from '../engine/retrain/settings';
import { DEFAULTS } from '../engine/retrain/defaults';
import { SELF } from './healing-amounts';
import { NO_HEALING } from './heals-first';
import type { GivenFor, OptionsFor } from './kinds';
import { dtypeOption, storedDtype } from './options/output';

/** Options that the engine's settings have under the same name. */
const SAME = [
  'merge',
  'selfTokens',
  'prompt',
  'bos',
  'length',
  'heldOut',
  'seed',
  'share',
  'batch',
  'accumulate',
  'epochs',
  'steps',
  'warmup',
  'evalEvery',
  'saveEvery',
  'clip',
  'weightDecay',
  'patience',
  'where',
] as const;

const picked = <T extends object, K extends keyof T>(from: T, names: readonly K[]): Pick<T, K> =>
  Object.fromEntries(names.map((name) => [name, from[name]])) as Pick<T, K>;

export function settingsOf(options: OptionsFor<'retrain'>): RetrainSettings {
  const { full, init, rank, alpha, dropout, targets, initAdapter, memory } = options;
  const { out, resume, data, betas } = options;
  return {
    ...picked(options, SAME),
    method: full
      ? { kind: 'full', start: init ?? 'checkpoint', memory }
      : { kind: 'lora', rank, alpha, dropout, targets: targets?.map(linearOf), start: initAdapter },
    precision: options.precision === 'int8' ? 'int8' : undefined,
    out,
    resume,
    dtype: storedDtype(options.dtype),
    data: data.includes(SELF) ? SELF : data,
    learningRate: options.lr,
    betas: betas && [betas[0], betas[1]],
  };
}

/** The Linear of a name, also of PEFT's. */
export const linearOf = (target: string): LinearName =>
  linearOfTarget(TARGET_NAMES.find((name) => name === target || `${name}_proj` === target)!); // the choices of the option

/** The options that resume a stopped run. @param out its output */
export function resumingOptions(
  { checkpoint, removed, heal, settings, teacher, compute }: TrainingRequest,
  out: string,
): GivenFor<'retrain'> {
  const { method, dtype, data, learningRate, betas } = settings;
  const lora = method.kind === 'lora' ? method : undefined;
  return {
    ...compute,
    ...picked(settings, SAME),
    checkpoint,
    data: data === SELF ? [SELF] : data,
    out,
    resume: true,
    remove: removed.length > 0 ? removed : undefined,
    // What it began with, whatever would be done now.
    heal: heal ?? (removed.length > 0 ? NO_HEALING : undefined),
    rank: lora?.rank,
    alpha: lora?.alpha,
    dropout: lora?.dropout,
    targets: lora?.targets?.map(targetOf),
    initAdapter: lora?.start,
    full: method.kind === 'full' ? true : undefined,
    init: method.kind === 'full' && method.start === 'random' ? 'random' : undefined,
    dtype: dtypeOption(dtype),
    teacher: teacher && (teacher.checkpoint ?? checkpoint),
    teacherWeight: teacher?.weight,
    hiddenWeight: teacher?.hiddenWeight,
    lr: learningRate,
    betas,
    precision: settings.precision,
  };
}

export const teacherWeightOf = ({
  teacherWeight,
  data,
}: Pick<OptionsFor<'retrain'>, 'teacherWeight' | 'data'>): number =>
  teacherWeight ?? (data.includes(SELF) ? DEFAULTS.ownTeacherWeight : DEFAULTS.teacherWeight);
