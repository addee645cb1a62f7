/** Converts the options of a retraining to the engine's settings, and back. */
import { LINEAR_NAMES } from '../engine/adapter/names';
import type { LinearName } from '../engine/checkpoint/architecture';
import type { TrainingRequest } from '../engine/retrain/request';
import type { RetrainSettings } from '../engine/retrain/settings';
import { DEFAULTS } from '../engine/retrain/defaults';
import { SELF } from './definitions/retrain';
import type { GivenFor, OptionsFor } from './kinds';
import { dtypeOption, storedDtype } from './options/output';

export function settingsOf(options: OptionsFor<'retrain'>): RetrainSettings {
  const { full, init, rank, alpha, dropout, targets, initAdapter, memory } = options;
  const { out, resume, merge, data, selfTokens, prompt, length, heldOut, seed } = options;
  const { batch, accumulate, epochs, steps, warmup, evalEvery, saveEvery, clip, weightDecay, patience } = options;
  return {
    method: full
      ? { kind: 'full', start: init ?? 'checkpoint', memory }
      : { kind: 'lora', rank, alpha, dropout, targets: targets?.map(linearOf), start: initAdapter },
    out,
    resume,
    merge,
    dtype: storedDtype(options.dtype),
    data: data.includes(SELF) ? SELF : data,
    selfTokens,
    prompt,
    length,
    heldOut,
    seed,
    learningRate: options.lr,
    batch,
    accumulate,
    epochs,
    steps,
    warmup,
    evalEvery,
    saveEvery,
    clip,
    weightDecay,
    betas: options.betas && [options.betas[0], options.betas[1]],
    patience,
  };
}

const linearOf = (target: string): LinearName =>
  LINEAR_NAMES.find((name) => name === target || `${name}_proj` === target)!; // these are the choices of the option

/** The options that resume a stopped run. @param out its output */
export function resumingOptions(
  { checkpoint, removed, settings, teacher, compute }: TrainingRequest,
  out: string,
): GivenFor<'retrain'> {
  const { method, dtype, data, learningRate, merge, selfTokens, prompt, length, heldOut, seed } = settings;
  const { batch, accumulate, epochs, steps, warmup, evalEvery, saveEvery, clip, weightDecay, betas, patience } =
    settings;
  const lora = method.kind === 'lora' ? method : undefined;
  return {
    ...compute,
    checkpoint,
    data: data === SELF ? [SELF] : data,
    out,
    resume: true,
    remove: removed.length > 0 ? removed : undefined,
    rank: lora?.rank,
    alpha: lora?.alpha,
    dropout: lora?.dropout,
    targets: lora?.targets,
    initAdapter: lora?.start,
    merge,
    full: method.kind === 'full' ? true : undefined,
    init: method.kind === 'full' && method.start === 'random' ? 'random' : undefined,
    dtype: dtypeOption(dtype),
    teacher: teacher && (teacher.checkpoint ?? checkpoint),
    teacherWeight: teacher?.weight,
    selfTokens,
    prompt,
    length,
    heldOut,
    seed,
    lr: learningRate,
    batch,
    accumulate,
    epochs,
    steps,
    warmup,
    evalEvery,
    saveEvery,
    clip,
    weightDecay,
    betas,
    patience,
  };
}

export const teacherWeightOf = ({ teacherWeight }: Pick<OptionsFor<'retrain'>, 'teacherWeight'>): number =>
  teacherWeight ?? DEFAULTS.teacherWeight;
