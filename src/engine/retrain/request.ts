/** The request of a training. Its state stores the request, so that the run can be resumed from the state alone. */
import { resolve } from 'node:path';
import type { Model, ModelOptions } from '../model/model';
import type { RetrainSettings } from './settings';
import { FORMULA } from './lora/start-adapter';

/** Paths are absolute. */
export interface TrainingRequest {
  readonly checkpoint: string;
  /** Blocks that are left out, ascending. */
  readonly removed: readonly number[];
  /** File of healed weights that are trained on. */
  readonly heal?: string;
  readonly settings: Omit<RetrainSettings, 'out' | 'resume'>;
  readonly teacher?: {
    /** Undefined when the unpruned student is its own teacher. */
    readonly checkpoint?: string;
    readonly weight: number;
    readonly hiddenWeight?: number;
  };
  /** Device, threads and memory of the run. */
  readonly compute: Pick<ModelOptions, 'device' | 'threads' | 'memory'>;
}

interface Around {
  readonly teacher?: { readonly model: Model; readonly weight: number; readonly hiddenWeight?: number };
  readonly healed?: { readonly path: string };
}

/** The request of a run, for its state. */
export function requestOf(
  model: Model,
  removed: readonly number[],
  { out: _out, resume: _resume, ...settings }: RetrainSettings,
  { teacher, healed }: Around,
  compute: TrainingRequest['compute'],
): TrainingRequest {
  const { data, method } = settings;
  const start = method.kind === 'lora' ? method.start : undefined;
  return {
    checkpoint: model.checkpoint.path,
    removed,
    ...(healed && { heal: healed.path }),
    settings: {
      ...settings,
      bos: settings.bos ?? 'auto', // a state that does not say it is from before there was a choice
      data: data === 'self' ? data : data.map((file) => resolve(file)),
      ...(method.kind === 'lora' &&
        start !== undefined &&
        start !== FORMULA && { method: { ...method, start: resolve(start) } }),
    },
    ...(teacher && {
      teacher: {
        weight: teacher.weight,
        hiddenWeight: teacher.hiddenWeight,
        ...(teacher.model !== model && { checkpoint: teacher.model.checkpoint.path }),
      },
    }),
    compute,
  };
}
