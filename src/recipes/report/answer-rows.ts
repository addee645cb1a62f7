/** What was measured of the original and of what ships: quality on the same text, and accuracy. Pure. */
import { basename } from 'node:path';
import { isObject, type JsonObject, parseJsonNumber } from '../../format/json';
import { formatCount, formatFactor, formatPercent, shortNumber } from '../../format/numbers';
import { vocabulariesDiffer } from '../../format/vocabularies';
import type { RecipeEnd, StepEnd } from '../types';
import { modelsIn, type Models, NOT_MEASURED, type Whose } from './shipped';
import type { AnswerRow } from './answer';

/** A measurement, on what, and of which model. */
interface Finding {
  readonly whose: Whose;
  readonly result: JsonObject;
  /** The same for measurements that may be compared. */
  readonly basis: string;
  /** What it was measured on, in words. */
  readonly on: string;
}

/** Whether the models that were evaluated have different vocabularies: then the rows tell bits per byte. */
export const haveOtherVocabularies = (end: RecipeEnd, models: Models): boolean =>
  vocabulariesDiffer(
    evaluations(end, models).map(({ result: { vocabulary } }) =>
      typeof vocabulary === 'number' ? vocabulary : undefined,
    ),
  );

export function qualityRows(end: RecipeEnd, shipping: StepEnd, models: Models): AnswerRow[] {
  const found = [...evaluations(end, models), ...ofExport(shipping)];
  const whole = found.filter(({ whose }) => whose === 'original');
  const apart = haveOtherVocabularies(end, models);
  const main = apart ? 'bitsPerByte' : 'ppl';
  const perplexity = best(found, whole, (result) => result[main]);
  const before = whole.findLast(({ basis }) => basis === perplexity?.basis) ?? whole.at(-1);
  const likeness = best(found, whole, ({ kl }) => kl);
  const same = likeness && { ...likeness, value: likeness.result.top1 };
  const teacher = apart ? comparedWith(likeness?.result) : undefined;
  const on = perplexity?.on ?? before?.on;
  const isComparable = before !== undefined && before.basis === perplexity?.basis;
  return [
    {
      label: `${apart ? 'bits per byte' : 'perplexity'}${on === undefined ? '' : ` on ${on}`}`,
      original: withNote(number(before?.result[main], shortNumber), isComparable || !perplexity ? '' : before?.on),
      shipped: ofModel(perplexity, shortNumber),
      change: isComparable ? factor(before.result[main], perplexity.value) : '',
    },
    {
      label: `KL divergence from ${teacher ?? 'the original'}`,
      original: '',
      shipped: ofModel(likeness, (kl) => `${shortNumber(kl, 3)} nats`),
      change: '',
    },
    {
      label: `same next token as ${teacher ?? 'the original'}`,
      original: '',
      shipped: ofModel(same, formatPercent),
      change: '',
    },
  ];
}

/** A model with another vocabulary than the original is compared with one that has its own: the trimmed one, by its name. */
const comparedWith = ({ against }: JsonObject = {}): string | undefined =>
  isObject(against) && typeof against.model === 'string' ? against.model : undefined;

/** The measurement of what ships, else that of the model before it was written; on what the original was measured too. */
function best(
  found: readonly Finding[],
  whole: readonly Finding[],
  of: (result: JsonObject) => unknown,
): (Finding & { readonly value: unknown }) | undefined {
  const has = found.filter(({ result }) => parseJsonNumber(of(result)) !== undefined);
  const bases = new Set(whole.map(({ basis }) => basis));
  const rank = ({ whose, basis }: Finding): number =>
    (whose === 'shipped' ? 2 : whose === 'unwritten' ? 0 : -9) + (bases.has(basis) ? 1 : 0);
  const [first] = has.filter((each) => rank(each) >= 0).sort((a, b) => rank(b) - rank(a));
  return first && { ...first, value: of(first.result) };
}

/** Options that say which rows are read. */
const ROWS = ['application', 'text', 'limit', 'calibration', 'samples', 'seed'] as const;

const basisOf = (options: JsonObject): string => JSON.stringify(ROWS.map((name) => options[name] ?? null));

function textOf({ application, text, calibration }: JsonObject, tokens: unknown): string {
  const file = [application, text, calibration].find((each) => typeof each === 'string');
  const name = typeof file === 'string' ? basename(file) : 'a text';
  return typeof tokens === 'number' ? `${name}, ${formatCount(tokens)} tokens` : name;
}

const evaluations = ({ steps }: RecipeEnd, models: Models): Finding[] =>
  steps.flatMap(({ job, finished, result }) => {
    if (job !== 'eval' || !finished || !result) return [];
    const { options } = finished;
    const whose = models.of(options);
    if (!whose) return [];
    return [{ whose, result, basis: basisOf(options), on: textOf(options, result.tokens) }];
  });

/** An export measures each file that it wrote; the worst one counts. */
function ofExport({ finished, result }: StepEnd): Finding[] {
  if (!finished || !Array.isArray(result?.measured)) return [];
  const kinds = result.measured.flatMap((kind: unknown) =>
    isObject(kind) && isObject(kind.perplexity) ? [kind.perplexity] : [],
  );
  const [worst] = kinds.sort((a, b) => (parseJsonNumber(b.ppl) ?? 0) - (parseJsonNumber(a.ppl) ?? 0));
  if (!worst) return [];
  const { options } = finished;
  return [{ whose: 'shipped', result: worst, basis: basisOf(options), on: textOf(options, worst.tokens) }];
}

export function accuracyRows({ steps }: RecipeEnd, models: Models): AnswerRow[] {
  const step = steps.findLast(({ job, result }) => job === 'tasks' && Array.isArray(result?.models));
  if (!step?.finished) return [];
  const shares = modelsIn(step).map(({ checkpoint, found }) => ({
    whose: models.of({ checkpoint }),
    value: found.average,
  }));
  const original = shares.find(({ whose }) => whose === 'original')?.value;
  const shipped = shares.find(({ whose }) => whose === 'shipped') ?? shares.find(({ whose }) => whose === 'unwritten');
  const words = (value: unknown): string => number(value, (share) => `${(100 * share).toFixed(1)} %`);
  return [
    {
      label: 'accuracy',
      original: words(original),
      shipped: withNote(words(shipped?.value), shipped?.whose === 'unwritten' ? UNWRITTEN : ''),
      change: '',
    },
  ];
}

export const UNWRITTEN = 'before it was written';

export const withNote = (words: string, note = ''): string =>
  note === '' || words === NOT_MEASURED ? words : `${words} (${note})`;

function number(value: unknown, words: (value: number) => string): string {
  const found = parseJsonNumber(value);
  return found === undefined ? NOT_MEASURED : words(found);
}

const ofModel = (
  found: { readonly whose: Whose; readonly value: unknown } | undefined,
  words: (value: number) => string,
): string => withNote(number(found?.value, words), found?.whose === 'unwritten' ? UNWRITTEN : '');

function factor(before: unknown, after: unknown): string {
  const [from, to] = [before, after].map((value) => parseJsonNumber(value));
  return from === undefined || to === undefined || !Number.isFinite(to / from) ? '' : formatFactor(to / from);
}
