/** What was measured of the original and of what ships: quality on the same text, accuracy, and speed with its spread. Pure. */
import { basename } from 'node:path';
import { isObject, type JsonObject, parseJsonNumber } from '../../format/json';
import { formatCount, formatFactor, formatPercent, shortNumber } from '../../format/numbers';
import { arithmeticWords } from '../../format/arithmetic';
import { counted } from '../../format/words';
import type { RecipeEnd, StepEnd } from '../types';
import type { AnswerRow } from './answer';
import type { Models, Whose } from './shipped';

const NONE = 'not measured';

/** A measurement, on what, and of which model. */
interface Measured {
  readonly whose: Whose;
  readonly result: JsonObject;
  /** The same for measurements that may be compared. */
  readonly basis: string;
  /** What it was measured on, in words. */
  readonly on: string;
}

export function qualityRows(end: RecipeEnd, shipping: StepEnd, models: Models): AnswerRow[] {
  const found = [...evaluations(end, models), ...ofExport(shipping)];
  const whole = found.filter(({ whose }) => whose === 'original');
  const perplexity = best(found, whole, ({ ppl }) => ppl);
  const before = whole.findLast(({ basis }) => basis === perplexity?.basis) ?? whole.at(-1);
  const likeness = best(found, whole, ({ kl }) => kl);
  const same = likeness && { ...likeness, value: likeness.result.top1 };
  const on = perplexity?.on ?? before?.on;
  const isComparable = before !== undefined && before.basis === perplexity?.basis;
  return [
    {
      label: `perplexity${on === undefined ? '' : ` on ${on}`}`,
      original: withNote(number(before?.result.ppl, shortNumber), isComparable || !perplexity ? '' : before?.on),
      shipped: ofModel(perplexity, shortNumber),
      change: isComparable ? factor(before.result.ppl, perplexity.value) : '',
    },
    {
      label: 'KL divergence from the original',
      original: '',
      shipped: ofModel(likeness, (kl) => `${shortNumber(kl, 3)} nats`),
      change: '',
    },
    { label: 'same next token as the original', original: '', shipped: ofModel(same, formatPercent), change: '' },
  ];
}

/** The measurement of what ships, else that of the model before it was written; on what the original was measured too. */
function best(
  found: readonly Measured[],
  whole: readonly Measured[],
  of: (result: JsonObject) => unknown,
): (Measured & { readonly value: unknown }) | undefined {
  const has = found.filter(({ result }) => parseJsonNumber(of(result)) !== undefined);
  const bases = new Set(whole.map(({ basis }) => basis));
  const rank = ({ whose, basis }: Measured): number =>
    (whose === 'shipped' ? 2 : whose === 'unwritten' ? 0 : -9) + (bases.has(basis) ? 1 : 0);
  const [first] = has.filter((each) => rank(each) >= 0).sort((a, b) => rank(b) - rank(a));
  return first && { ...first, value: of(first.result) };
}

/** Options that say which rows are read. */
const ROWS = ['text', 'limit', 'calibration', 'samples', 'seed'] as const;

const basisOf = (options: JsonObject): string => JSON.stringify(ROWS.map((name) => options[name] ?? null));

function textOf({ text, calibration }: JsonObject, tokens: unknown): string {
  const file = typeof text === 'string' ? text : calibration;
  const name = typeof file === 'string' ? basename(file) : 'a text';
  return typeof tokens === 'number' ? `${name}, ${formatCount(tokens)} tokens` : name;
}

const evaluations = ({ steps }: RecipeEnd, models: Models): Measured[] =>
  steps.flatMap(({ job, finished, result }) => {
    const whose = job === 'eval' && finished && result ? models.of(finished.options) : undefined;
    if (!whose) return [];
    const { options } = finished!;
    return [{ whose, result: result!, basis: basisOf(options), on: textOf(options, result!.tokens) }];
  });

/** An export measures each file that it wrote; the worst one counts. */
function ofExport({ finished, result }: StepEnd): Measured[] {
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
  const paths = step.finished.options.checkpoints;
  const list: readonly unknown[] = Array.isArray(paths) ? paths : [];
  const shares = list.map((checkpoint, at) => {
    const model = (step.result!.models as readonly unknown[])[at];
    return {
      whose: models.of({ checkpoint } as JsonObject),
      value: isObject(model) ? model.average : undefined,
    };
  });
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

const SPEEDS = [
  ['speed of writing', 'decodeTokensPerSecond', 'decodeRange'],
  ['speed of reading', 'prefillTokensPerSecond', 'prefillRange'],
] as const;

/** Medians with the least and the most; ranges that overlap show no difference. */
export function speedRows({ steps }: RecipeEnd, shipping: StepEnd, models: Models): AnswerRow[] {
  const timed = steps.flatMap(({ job, finished, result }) => {
    const whose = job === 'bench' && finished && result ? models.of(finished.options) : undefined;
    return whose ? [{ whose, result: result! }] : [];
  });
  const of = (whose: Whose): JsonObject | undefined => timed.findLast((each) => each.whose === whose)?.result;
  const [original, shipped, unwritten] = [of('original'), of('shipped'), of('unwritten')];
  const own = Array.isArray(shipping.result?.measured)
    ? (shipping.result.measured as readonly unknown[])[0]
    : undefined;
  const elsewhere = isObject(own) ? parseJsonNumber(own.tokensPerSecond) : undefined;
  return SPEEDS.map(([label, speed, range]): AnswerRow => {
    const one = original && speedOf(original[speed], original[range]);
    const other = shipped ?? unwritten;
    const two = other && speedOf(other[speed], other[range]);
    const note = shipped ? '' : UNWRITTEN;
    const file =
      speed === 'decodeTokensPerSecond' && !shipped && elsewhere !== undefined
        ? `${shortNumber(elsewhere, 3)} tokens/s by the file's own runtime`
        : undefined;
    return {
      label,
      original: one?.words ?? NONE,
      shipped: [...(file === undefined ? [] : [file]), ...(two ? [withNote(two.words, note)] : [])].join('; ') || NONE,
      change: one && two ? changeOf(one, two) : '',
    };
  });
}

/** What the speeds are. */
export function speedNotes({ steps }: RecipeEnd, models: Models): string[] {
  const words = steps.flatMap(({ job, finished, result }) => {
    if (job !== 'bench' || !finished || !result || !models.of(finished.options)) return [];
    const { repeats, precision, device } = result;
    const by =
      typeof precision === 'string' ? arithmeticWords(precision, finished.device ?? undefined) : String(device);
    return [`Speeds: the median of ${counted(Number(repeats), 'run')} of Coppice with the least and the most, ${by}.`];
  });
  return [...new Set(words)];
}

interface Speed {
  readonly words: string;
  readonly middle: number;
  readonly low: number;
  readonly high: number;
}

function speedOf(value: unknown, range: unknown): Speed | undefined {
  const middle = parseJsonNumber(value);
  const ends: readonly unknown[] = Array.isArray(range) ? range : [];
  const [low = middle, high = middle] = ends.map((each) => parseJsonNumber(each));
  if (middle === undefined || low === undefined || high === undefined || !Number.isFinite(middle)) return undefined;
  const words = `${shortNumber(middle, 3)} tokens/s (${shortNumber(low, 3)} to ${shortNumber(high, 3)})`;
  return { words, middle, low, high };
}

const changeOf = (one: Speed, two: Speed): string =>
  one.low <= two.high && two.low <= one.high ? '≈ (ranges overlap)' : formatFactor(two.middle / one.middle);

const UNWRITTEN = 'before it was written';

const withNote = (words: string, note = ''): string => (note === '' || words === NONE ? words : `${words} (${note})`);

function number(value: unknown, words: (value: number) => string): string {
  const found = parseJsonNumber(value);
  return found === undefined ? NONE : words(found);
}

const ofModel = (
  found: { readonly whose: Whose; readonly value: unknown } | undefined,
  words: (value: number) => string,
): string => withNote(number(found?.value, words), found?.whose === 'unwritten' ? UNWRITTEN : '');

function factor(before: unknown, after: unknown): string {
  const [from, to] = [before, after].map((value) => parseJsonNumber(value));
  return from === undefined || to === undefined || !Number.isFinite(to / from) ? '' : formatFactor(to / from);
}
