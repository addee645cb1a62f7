/** Texts that models have written, with what was asked of them: only equal questions stand beside each other. */
import type { RunDigest } from '../digest-types';
import { recordKind } from '../kinds';
import type { ModelRef } from './models';
import { completeModel, computed, demoModel, modelOf, precisionKey } from './run-models';
import { settingWords } from './setting-words';

/** A text that a model has written. */
export interface Written {
  readonly model: ModelRef;
  readonly prompt: string;
  readonly text: string;
  readonly repetition: number | null;
  /** Prompt, length and way of choosing tokens. */
  readonly condition: string;
  readonly of: string;
  readonly started: string;
}

/** Texts of models, of all runs that write. */
export function writtenOf(run: RunDigest): Written[] {
  const { samples, cost, kind, settings, started } = run;
  // After several turns each model answers a conversation of its own, so there is no common question.
  if (!samples || samples.earlier) return [];
  const way = settings.filter(([name]) => /^(chat|system|maxNewTokens|greedy|temperature|topK|topP|seed)$/.test(name));
  const words = way
    .filter(([, value]) => value !== 'false')
    .map(([name, value]) => (value === 'true' ? name : settingWords(name, value)));
  return samples.texts.flatMap(({ prompt, column, text, repetition, stopped, failure }) => {
    const of = cost?.[column]?.of;
    const label = samples.columns[column] ?? '';
    const model = of
      ? completeModel(of)
      : kind === 'demo'
        ? demoModel(run, label)
        : recordKind(kind).labels
          ? undefined
          : modelOf(run);
    const asked = samples.prompts[prompt];
    const precision = cost?.[column]?.precision ?? run.precision;
    // A text that was cancelled is shorter than what was asked for.
    if (!model || asked === undefined || failure !== undefined || stopped === 'cancelled') return [];
    const condition = JSON.stringify([asked, way]) + precisionKey(precision);
    return [
      {
        model,
        prompt: asked,
        text,
        repetition,
        condition,
        of: [words.join(', '), computed({ ...run, precision })].filter(Boolean).join('; '),
        started,
      },
    ];
  });
}
