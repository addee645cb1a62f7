/** A step's result in a few words: the terminal, the report and the editor say the same. English, like the jobs' pages. */
import { arithmeticWords, textArithmetic } from '../format/arithmetic';
import { parseJsonNumber, isObject, type JsonObject } from '../format/json';
import { formatBytes, formatNumber, formatPercent, shortCount } from '../format/numbers';
import { formatCounted } from '../format/words';
import { isLeast } from './limits';
import type { LimitName } from './recipe';
import type { FinishedStep, PlannedStep, LimitCheck } from './types';

/** "perplexity 45.04 (3,810 tokens, float32 on cpu)"; empty where the job has no main number. */
export function resultWords({ job, device, outputs }: FinishedStep, result: JsonObject): string {
  const written = outputs.length === 0 ? [] : [formatBytes(outputs.reduce((sum, { bytes }) => sum + bytes, 0))];
  switch (job) {
    case 'score':
      return joined(String(result.criterion), leastOf(result.order));
    case 'curve':
      return counted(result.points, 'point');
    case 'prune':
    case 'iterate':
    case 'merge':
      return joined(removedWords(result.removed), parametersWords(result), ...written);
    case 'width':
      return joined(parametersWords(result), pplWords(result.ppl), ...written);
    case 'heal':
      return joined(removedWords(result.removed), healedWords(result), ...written);
    case 'retrain':
      return joined(trainedWords(result), ...written);
    case 'export':
      return joined(`${String(result.format)} ${String(result.type)}`, ...measuredWords(result.measured), ...written);
    case 'verify':
      return isObject(result.verified) && result.verified.passed === true ? 'the same as the model' : '';
    case 'eval':
      return joined(
        pplWords(result.ppl),
        result.kl === undefined ? '' : `KL ${number(result.kl, 3)} nats`,
        `${number(result.tokens)} tokens`,
        textArithmetic(textOf(result.precision), device),
      );
    case 'tasks':
      return accuracyWords(result);
    case 'bench':
      return joined(
        `${number(result.decodeTokensPerSecond, 3)} tokens/s`,
        arithmeticWords(textOf(result.precision), device),
      );
    case 'grid':
    case 'versus':
      return counted(result.models, 'model');
    case 'generate':
      return result.texts === undefined ? excerpt(result.text) : counted(result.texts, 'text');
    default:
      return '';
  }
}

const joined = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join(', ');

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const number = (value: unknown, digits?: number): string => {
  const found = parseJsonNumber(value);
  return found === undefined
    ? ''
    : Number.isInteger(found) && digits === undefined
      ? found.toLocaleString('en-US')
      : formatNumber(found, digits);
};

const counted = (list: unknown, noun: string): string => (Array.isArray(list) ? formatCounted(list.length, noun) : '');

const pplWords = (ppl: unknown): string => (ppl === undefined ? '' : `perplexity ${number(ppl, 4)}`);

/** "4, 5, 6 and 3 more" */
function listed(items: readonly unknown[], most: number): string {
  const shown = items
    .slice(0, most)
    .map((item) => (isObject(item) ? `${String(item.block)}.${String(item.part)}` : String(item)));
  return `${shown.join(', ')}${items.length > most ? ` and ${items.length - most} more` : ''}`;
}

const leastOf = (order: unknown): string =>
  Array.isArray(order) && order.length > 0 ? `least important first: ${listed(order, 6)}` : '';

const removedWords = (removed: unknown): string => {
  if (!Array.isArray(removed)) return '';
  return removed.length === 0 ? 'nothing removed' : `without ${listed(removed, 12)}`;
};

function parametersWords({ parametersBefore, parametersAfter }: JsonObject): string {
  const [before, after] = [parseJsonNumber(parametersBefore), parseJsonNumber(parametersAfter)];
  if (before === undefined || after === undefined) return '';
  return before === after
    ? `${shortCount(after)} parameters`
    : `${shortCount(before)} → ${shortCount(after)} parameters`;
}

function healedWords({ heldOut, fit, weights }: JsonObject): string {
  const stages = isObject(heldOut) ? heldOut : fit;
  if (weights === 'plain') return 'healing did not help: plain weights';
  if (!isObject(stages) || !isObject(stages.before) || !isObject(stages.rounded)) return '';
  return `perplexity of its text ${number(stages.before.ppl, 4)} → ${number(stages.rounded.ppl, 4)}`;
}

function trainedWords({ before, best }: JsonObject): string {
  if (!isObject(before) || !isObject(best)) return '';
  return `held-out perplexity ${number(before.ppl, 4)} → ${number(best.ppl, 4)}`;
}

function measuredWords(kinds: unknown): string[] {
  if (!Array.isArray(kinds)) return [];
  return kinds.flatMap((kind: unknown) =>
    isObject(kind) && isObject(kind.perplexity) ? [`${String(kind.type)}: ${pplWords(kind.perplexity.ppl)}`] : [],
  );
}

function accuracyWords({ average, models }: JsonObject): string {
  const shares = Array.isArray(models)
    ? models.map((model: unknown) => (isObject(model) ? model.average : undefined))
    : [average];
  const found = shares.flatMap((share) => parseJsonNumber(share) ?? []);
  return found.length === 0 ? '' : `accuracy ${found.map((share) => formatPercent(share)).join(' → ')}`;
}

function excerpt(text: unknown): string {
  if (typeof text !== 'string') return '';
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}

const UNITS: Readonly<Record<LimitName, (value: number) => string>> = {
  maxPpl: (value) => `perplexity ${formatNumber(value, 5)}`,
  maxKl: (value) => `KL divergence ${formatNumber(value, 4)} nats`,
  minSame: (value) => `${formatPercent(value)} same next tokens`,
  maxRepetition: (value) => `repetition +${formatNumber(100 * value, 3)} points`,
  minAccuracy: (value) => `accuracy ${formatPercent(value)}`,
  maxBytes: (value) => formatBytes(value),
};

function boundOf(limit: LimitName, most: number): string {
  if (limit === 'maxBytes') return formatBytes(most);
  if (limit === 'maxRepetition') return `+${formatNumber(100 * most, 3)}`;
  return isLeast(limit) ? formatPercent(most) : formatNumber(most, 5);
}

/** "perplexity 45.04, at most 60" */
export function verdictWords({ limit, most, measured }: LimitCheck): string {
  const bound = isLeast(limit) ? 'at least' : 'at most';
  return `${UNITS[limit](measured)}, ${bound} ${boundOf(limit, most)}`;
}

/** "done", "runs: its options or inputs changed", "not asked for" */
export function planWords({ state, why }: PlannedStep): string {
  if (state === 'done') return 'done';
  return state === 'waits' ? 'not asked for' : `runs${why === undefined ? '' : `: ${why}`}`;
}
