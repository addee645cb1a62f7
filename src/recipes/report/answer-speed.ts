/** Speeds of the original and of what ships, each with its spread. Ranges that overlap show no difference. Pure. */
import { arithmeticWords } from '../../format/arithmetic';
import { isObject, type JsonObject, parseJsonNumber } from '../../format/json';
import { formatFactor, shortNumber } from '../../format/numbers';
import { counted } from '../../format/words';
import type { RecipeEnd, StepEnd } from '../types';
import type { AnswerRow } from './answer';
import { UNWRITTEN, withNote } from './answer-rows';
import { modelsIn, type Models, NOT_MEASURED, type Whose } from './shipped';

/** Tokens in a second: the median of all runs, the least and the most. */
interface Speed {
  readonly middle: number;
  readonly low: number;
  readonly high: number;
}

interface Timed {
  readonly whose: Whose;
  readonly writing?: Speed;
  readonly reading?: Speed;
}

export function speedRows(end: RecipeEnd, shipping: StepEnd, models: Models): AnswerRow[] {
  const timed = timedModels(end, models);
  const of = (whose: Whose): Timed | undefined => timed.findLast((each) => each.whose === whose);
  const [original, shipped] = [of('original'), of('shipped') ?? of('unwritten')];
  const row = (label: string, of: 'writing' | 'reading', own?: string): AnswerRow => {
    const [one, two] = [original?.[of], shipped?.[of]];
    const note = shipped?.whose === 'unwritten' ? UNWRITTEN : '';
    return {
      label,
      original: one ? speedWords(one) : NOT_MEASURED,
      shipped: [own ?? [], two ? withNote(speedWords(two), note) : []].flat().join('; ') || NOT_MEASURED,
      change: one && two ? changeOf(one, two) : '',
    };
  };
  const reads = timed.some(({ reading }) => reading !== undefined);
  const rows = [row('speed of writing', 'writing', ownSpeed(shipping))];
  return reads ? [...rows, row('speed of reading', 'reading')] : rows;
}

/** An export may have timed its file in a runtime of its own. */
function ownSpeed({ result }: StepEnd): string | undefined {
  const [first] = Array.isArray(result?.measured) ? (result.measured as readonly unknown[]) : [];
  const speed = isObject(first) ? parseJsonNumber(first.tokensPerSecond) : undefined;
  return speed === undefined ? undefined : `${shortNumber(speed, 3)} tokens/s by the file's own runtime`;
}

/** Speeds of the models of this recipe. Models that took turns come last: they can be compared best. */
function timedModels({ steps }: RecipeEnd, models: Models): Timed[] {
  const alone = steps.flatMap(({ job, finished, result }): Timed[] => {
    const whose = job === 'bench' && finished && result ? models.of(finished.options) : undefined;
    if (!whose || !result) return [];
    const writing = rangeOf(result.decodeTokensPerSecond, result.decodeRange);
    const reading = rangeOf(result.prefillTokensPerSecond, result.prefillRange);
    return [{ whose, ...(writing && { writing }), ...(reading && { reading }) }];
  });
  const inTurns = steps.flatMap((step) => {
    if (step.job !== 'grid') return [];
    return modelsIn(step).flatMap(({ checkpoint, found }): Timed[] => {
      const whose = models.of({ checkpoint });
      const writing = cellSpeed(found);
      return whose && writing ? [{ whose, writing }] : [];
    });
  });
  return [...alone, ...inTurns];
}

/** Of the first cell that was measured. */
function cellSpeed({ cells }: JsonObject): Speed | undefined {
  const list: readonly unknown[] = Array.isArray(cells) ? cells : [];
  for (const cell of list) {
    if (!isObject(cell) || !isObject(cell.measured) || !Array.isArray(cell.measured.times)) continue;
    const tokens = Number(cell.batch) * Number(cell.newTokens);
    const speeds = cell.measured.times.map((time) => tokens / Number(time)).sort((a, b) => a - b);
    return rangeOf(speeds[Math.floor(speeds.length / 2)], [speeds[0], speeds.at(-1)]);
  }
  return undefined;
}

function rangeOf(value: unknown, range: unknown): Speed | undefined {
  const middle = parseJsonNumber(value);
  const ends: readonly unknown[] = Array.isArray(range) ? range : [];
  const [low = middle, high = middle] = ends.map((each) => parseJsonNumber(each));
  if (middle === undefined || low === undefined || high === undefined || !Number.isFinite(middle)) return undefined;
  return { middle, low, high };
}

const speedWords = (speed: Speed): string => {
  const { middle, low, high } = speed;
  const spread = isSingle(speed) ? 'one run' : `${shortNumber(low, 3)} to ${shortNumber(high, 3)}`;
  return `${shortNumber(middle, 3)} tokens/s (${spread})`;
};

const isSingle = ({ low, high }: Speed): boolean => low === high;

/** One run of each has no spread, so nothing tells a difference from chance. */
function changeOf(one: Speed, two: Speed): string {
  if (isSingle(one) || isSingle(two)) return '';
  return one.low <= two.high && two.low <= one.high ? '≈ (ranges overlap)' : formatFactor(two.middle / one.middle);
}

/** What the speeds are. */
export function speedNotes({ steps }: RecipeEnd, models: Models): string[] {
  const words = steps.flatMap(({ job, finished, result }) => {
    if (!finished || !result || (job !== 'grid' && (job !== 'bench' || !models.of(finished.options)))) return [];
    const runs = counted(Number(job === 'grid' ? result.runs : result.repeats), 'run');
    const turns = job === 'grid' && result.inTurns === true ? ' in turns' : '';
    const by = arithmeticWords(String(result.precision), finished.device);
    return [`Speeds: the median of ${runs} of Coppice${turns}, with the least and the most; ${by}.`];
  });
  return [...new Set(words)];
}
