/** Words for a recipe's steps: the last result, or why a step would run, and limits that are broken. Does not use VS Code. */
import { formatSeconds } from '../format/durations';
import { isObject, parseJsonNumber, type JsonObject } from '../format/json';
import { formatBytes, formatPercent, shortNumber } from '../format/numbers';
import { roughTime } from '../jobs/rough-time';
import type { ProgressInfo } from '../protocol/jobs';
import { type LimitName, LIMIT_NAMES } from '../recipes/recipe';
import { measured } from '../recipes/limits';
import type { FinishedStep, PlannedStep, Verdict } from '../recipes/types';
import { l10n } from '../l10n';
import { progressLine } from '../views/progress-words';

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
    const facts = [...(result ? resultWords(before, result) : []), formatSeconds(before.seconds)];
    return [...facts, broken ?? l10n.t('done')].join(' · ');
  }
  const reason = why === undefined ? l10n.t('would run') : l10n.t('would run: {0}', why);
  return expected ? `${reason} · ${l10n.t('about {0}', roughTime(expected.seconds))}` : reason;
}

/** Lenses have one line; the problem has the whole text. */
const MAX_LENGTH = 120;

const cut = (text: string): string => (text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH - 1)}…` : text);

/** The numbers of a result that matter most: those that limits judge. */
export function resultWords(step: FinishedStep, result: JsonObject): string[] {
  const facts = LIMIT_NAMES.flatMap((name) => {
    const value = measured(name, step, result);
    return value === undefined || (name === 'maxBytes' && value === 0) ? [] : [limitWords(name, value)];
  });
  return [...blocksWords(result), ...facts];
}

/** "perplexity 45.04", "accuracy 51 %", "19.2 MB". */
export function limitWords(name: LimitName, value: number): string {
  switch (name) {
    case 'maxPpl':
      return l10n.t('perplexity {0}', shortNumber(value));
    case 'maxKl':
      return l10n.t('KL {0} nats', shortNumber(value));
    case 'minAccuracy':
      return l10n.t('accuracy {0}', formatPercent(value));
    case 'maxBytes':
      return formatBytes(value);
  }
}

/** Blocks that a pruning kept, or the whole model's perplexity that a score began with. */
function blocksWords({ kept, removed, full }: JsonObject): string[] {
  if (Array.isArray(kept) && Array.isArray(removed)) {
    return [l10n.t('{0} of {1} blocks kept', kept.length, kept.length + removed.length)];
  }
  const ppl = isObject(full) ? parseJsonNumber(full.ppl) : undefined;
  return ppl === undefined ? [] : [l10n.t('unpruned perplexity {0}', shortNumber(ppl))];
}

/** "The step “quality” breaks the limit maxPpl: perplexity 45.04, and at most perplexity 40 is allowed." */
export function brokenLimit({ limit, most, measured, step }: Verdict): string {
  const [found, allowed] = [limitWords(limit, measured), limitWords(limit, most)];
  return limit === 'minAccuracy'
    ? l10n.t('The step “{0}” breaks the limit {1}: {2}, and at least {3} was asked for.', step, limit, found, allowed)
    : l10n.t('The step “{0}” breaks the limit {1}: {2}, and at most {3} is allowed.', step, limit, found, allowed);
}
