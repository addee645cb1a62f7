/** The settings of a training that another program does: those that `retrain` would take, for both methods. */
import { moduleName } from '../engine/adapter/config';
import { adaptableNames, type Architecture } from '../engine/checkpoint/architecture';
import { DEFAULTS } from '../engine/retrain/defaults';
import type { TrainingData } from '../engine/retrain/data/load';
import { type RetrainSettings, trainOptions } from '../engine/retrain/settings';
import type { Target } from './manifest';

const COMMON = { peft: '0.21.2', accelerate: '1.15.0', datasets: '5.2.0', torch: '2.15.0' };

/** Packages of each target, and the versions that its programs were run with. */
export const PACKAGES: Readonly<Record<Target, Readonly<Record<string, string>>>> = {
  trl: { trl: '1.16.0', transformers: '5.24.0', ...COMMON },
  // It imports requests without asking for it, and asks for transformers below 5.15.
  modelopt: { 'nvidia-modelopt': '0.47.0', requests: '2.34.2', transformers: '5.14.1', ...COMMON },
};

/** Rows that a device takes at a time, where the step has more. */
const ROWS_PER_DEVICE = 4;

/** The text of `config.json` as an object. */
export function trainingConfig(
  settings: RetrainSettings,
  data: TrainingData,
  architecture: Architecture,
  teacher: { readonly place: string; readonly weight: number },
): object {
  const lora = trainOptions({ ...settings, method: { kind: 'lora' } }, data);
  const full = trainOptions({ ...settings, method: { kind: 'full', start: 'checkpoint' } }, data);
  const own = settings.method.kind === 'lora' ? settings.method : undefined;
  const targets = own?.targets ?? adaptableNames(architecture);
  return {
    method: 'lora',
    teacher: teacher.place,
    teacher_weight: teacher.weight,
    steps: lora.steps,
    warmup: lora.warmup,
    rows_per_step: lora.batch,
    rows_per_device: Math.min(ROWS_PER_DEVICE, lora.batch),
    steps_between_evaluations: Math.max(1, Math.min(lora.evalEvery, lora.steps)),
    clip: lora.clip,
    seed: lora.seed,
    gradient_checkpointing: true,
    lora: {
      rank: own?.rank ?? DEFAULTS.rank,
      alpha: own?.alpha ?? DEFAULTS.alpha,
      dropout: own?.dropout ?? DEFAULTS.dropout,
      target_modules: targets.map((name) => moduleName(architecture, name)),
      learning_rate: lora.learningRate,
      weight_decay: lora.weightDecay,
      betas: [lora.beta1, lora.beta2],
    },
    full: {
      learning_rate: full.learningRate,
      weight_decay: full.weightDecay,
      betas: [full.beta1, full.beta2],
    },
  };
}
