/** Words for a recipe's steps: the last result, or why a step would run, and limits that are broken. Does not use VS Code. */
import { formatSeconds } from '../../format/durations';
import type { JsonObject } from '../../format/json';
import { l10n } from '../../l10n';
import type { ProgressInfo } from '../../protocol/jobs';
import { expectedWords } from '../../recipes/expected-words';
import type { FinishedStep, PlannedStep, LimitCheck } from '../../recipes/types';
import { resultWords, verdictWords } from '../../recipes/words';
import { progressLine } from '../../state/words/progress-words';

/** What is known of a step. */
export interface StepFacts {
  readonly planned?: PlannedStep;
  /** Of the last time it ran, if its file is there. */
  readonly result?: JsonObject;
  /** It runs now. Null while nothing is known of how far it is. */
  readonly running?: ProgressInfo | null;
  /** Why the last run failed at it. */
  readonly failure?: string;
  /** A limit that its last result breaks. */
  readonly broken?: string;
}

/** One line; undefined if nothing is known. */
export function stepWords({ planned, result, running, failure, broken }: StepFacts): string | undefined {
  if (running !== undefined) return running ? progressLine(running) : l10n.t('Preparing…');
  if (failure !== undefined) return l10n.t('failed: {0}', cut(failure));
  if (!planned) return undefined;
  const { state, before, why, expected } = planned;
  if (state === 'done' && before) {
    return [...doneWords(before, result), broken ?? l10n.t('done')].join(' · ');
  }
  const reason = why === undefined ? l10n.t('would run') : l10n.t('would run: {0}', why);
  return expected ? `${reason} · ${expectedWords(expected)}` : reason;
}

/** What a finished step brought, and its time. */
export function doneWords(step: FinishedStep, result: JsonObject | undefined): string[] {
  const words = result ? resultWords(step, result) : '';
  return [...(words === '' ? [] : [words]), formatSeconds(step.seconds)];
}

/** Lenses have one line; the problem has the whole text. */
const MAX_LENGTH = 120;

const cut = (text: string): string => (text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH - 1)}…` : text);

/** "The step “quality” breaks its limit maxPpl: perplexity 45.04, at most 40." */
export const brokenLimit = (verdict: LimitCheck): string =>
  l10n.t('The step “{0}” breaks the limit {1}: {2}.', verdict.step, verdict.limit, verdictWords(verdict));
