/** Estimates the time of scoring, evaluation and healing on this machine, in words. */
import { statSync } from 'node:fs';
import * as vscode from 'vscode';
import { type Architecture, withoutLayers } from '../engine/checkpoint/architecture';
import type { HealMethod } from '../engine/heal/methods';
import { type Criterion, criterionInfo } from '../engine/importance/criteria';
import { BYTES_PER_TOKEN } from '../jobs/amounts';
import { healingRows } from '../jobs/healing-amounts';
import { NEW_TOKENS } from '../jobs/options/sampling';
import { guessedTime, roughTime, markedTime } from '../jobs/rough-time';
import { exported, healingParts, scoringParts } from '../recipes/estimate/choosing';
import { comparing } from '../recipes/estimate/measuring';
import { decoding, evaluating, products, withStart } from '../recipes/estimate/parts';
import { protectionOf } from '../views/protection';
import { modelOf } from './ask-training';
import type { Chosen } from './choose-checkpoint';
import type { Coppice } from './coppice';
import { type ExpectedTime, expectedTime, timeOf } from './expected-time';

/**
 * "about 1:20"; undefined if it takes no time.
 * @param exact how many blocks must be certain, where others may be screened; undefined for the default
 */
export function criterionEstimate(
  coppice: Coppice,
  chosen: Chosen,
  criterion: Criterion,
  exact?: number,
): string | undefined {
  const { config } = coppice;
  const { architecture } = chosen;
  const { effort } = criterionInfo(criterion);
  if (effort === 'none') return undefined;
  const rows = rowsOf(coppice, chosen);
  const { kept } = protectionOf(architecture.layers.length, config);
  const count = Math.max(1, Math.floor(architecture.layers.length / 4));
  const scope = { count, kept, objective: config.objective, exact };
  return timeOf(coppice, scoringParts(architecture, { criterion, rows, scope, screens: isOnCpu(coppice) }));
}

/** The rows of the settings. */
const rowsOf = ({ config }: Coppice, { architecture }: Pick<Chosen, 'architecture'>) => ({
  rows: config.calibration.samples,
  length: Math.min(config.calibration.length, architecture.context),
});

/** "10 samples of 128 tokens" */
export function rowsWords(coppice: Coppice, chosen: Pick<Chosen, 'architecture'>): string {
  const { rows, length } = rowsOf(coppice, chosen);
  return vscode.l10n.t('{0} samples of {1} tokens', rows, length);
}

/** Only the CPU screens. What computes is not known before the first job. */
const isOnCpu = ({ sidecar }: Coppice): boolean => (sidecar.device?.provider ?? 'cpu') === 'cpu';

/** "about 1:20" for these windows. @param removed blocks that are left out; then the whole model is measured too */
export function evaluationEstimate(
  coppice: Coppice,
  architecture: Architecture,
  windows: { readonly rows: number; readonly length: number },
  removed: readonly number[],
): string {
  const whole = removed.length > 0 ? [evaluating(architecture, windows)] : [];
  return timeOf(coppice, [evaluating(architecture, windows, removed), ...whole]);
}

/** Tokens of a row of questions: only the attention depends on it, which is little. */
const QUESTION_LENGTH = 64;

/** "about 4:00" for models that each read this many tokens of questions. @param models blocks that each lacks */
export function tasksEstimate(
  coppice: Coppice,
  architecture: Architecture,
  tokens: number,
  models: readonly (readonly number[])[],
): string {
  const rows = { rows: tokens / QUESTION_LENGTH, length: QUESTION_LENGTH };
  return timeOf(
    coppice,
    models.map((removed) => evaluating(architecture, rows, removed)),
  );
}

/** "about 20 s" to write the model and to compare what was written with it. @param kinds files that are written */
export function exportEstimate(coppice: Coppice, chosen: Chosen, removed: readonly number[], kinds = 1): string {
  const model = modelOf(chosen);
  const each = [exported({ model, removed }), ...comparing({ model, removed })];
  return timeOf(coppice, withStart(model, Array.from({ length: kinds }, () => each).flat()));
}

/** "about 20 s" to compare what was written with the model that it was written from. Other programs are not in it. */
export function verifyEstimate(coppice: Coppice, written: Pick<Chosen, 'architecture' | 'checkpoint'>): string {
  const model = modelOf(written);
  return timeOf(coppice, withStart(model, comparing({ model, removed: [] })));
}

/** "about 10 s" for as many tokens as a text has at most. @param tokens undefined for the default */
export function textEstimate(
  coppice: Coppice,
  chosen: Chosen,
  removed: readonly number[],
  tokens = NEW_TOKENS,
): string {
  const work = decoding(withoutLayers(chosen.architecture, removed), tokens);
  return timeOf(coppice, withStart(modelOf(chosen), [work]));
}

/** What is healed. */
export interface HealingQuestion {
  readonly removed: readonly number[];
  /** Tokens of text. */
  readonly tokens: number;
  /** The model writes the text itself. */
  readonly writes: boolean;
  readonly method?: HealMethod;
}

/** How long healing takes on this machine, the text included if the model writes it. */
export function healingTime(coppice: Coppice, architecture: Architecture, question: HealingQuestion): ExpectedTime {
  const { tokens, ...work } = question;
  return expectedTime(coppice, healingParts(architecture, { ...work, rows: healingRows(architecture, tokens) }));
}

/** "about 40 s", or "about 2:00 the first time, then 40 s" if the model first writes the text, which is kept for later. */
export function healingEstimate(coppice: Coppice, architecture: Architecture, question: HealingQuestion): string {
  const words = markedTime(healingTime(coppice, architecture, question));
  if (!question.writes) return words;
  const then = healingTime(coppice, architecture, { ...question, writes: false });
  const later = then.measured ? roughTime(then.seconds) : guessedTime(then.seconds);
  return vscode.l10n.t('{0} the first time, then {1}', words, later);
}

/**
 * "about 12:00" for operations that all count as plain products.
 * @param length tokens of a row @param more seconds in addition
 */
export function flopsEstimate(
  coppice: Coppice,
  flops: number,
  architecture: Architecture,
  length: number,
  more: number,
): string {
  return timeOf(coppice, [products(architecture, 'evaluate', flops, length), { kind: 'seconds', seconds: more }]);
}

/** Windows of a text, estimated from its size. Undefined when there is no such file. */
export function windowsOf(file: string, window: number): number | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  return found && Math.max(1, Math.floor(found.size / BYTES_PER_TOKEN / window));
}
