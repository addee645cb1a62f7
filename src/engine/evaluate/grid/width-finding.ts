/**
 * What products over FFN widths tell: whether widths that are no multiple of 8 are slower on a device (Shortened LLaMA,
 * §2, cites it as the reason why width pruning slows GPUs down). Pure.
 */
import { median } from '../../median';

/** Widths are grouped by the largest of these that divides them. */
const MULTIPLES = [256, 32, 8] as const;

/** A rate over the runs, in operations a second. */
export interface RateSpread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** The rate of products of one width. */
export interface WidthRate {
  /** Neurons of the FFN. */
  readonly width: number;
  /** The largest of `MULTIPLES` that divides it; null if not even 8 does. */
  readonly multiple: (typeof MULTIPLES)[number] | null;
  /** Whether a block of the model has this width. */
  readonly own: boolean;
  /** In the order of the tokens. */
  readonly rates: readonly RateSpread[];
}

/** By how much widths that are no multiple of 8 are slower than the next ones that are; negative if faster. */
export interface Slowdown {
  readonly share: number;
  /** The interval that holds the median of all rounds with a probability of 96 %. */
  readonly low: number;
  readonly high: number;
}

/** Rates of products around the width of the FFN. */
export interface WidthRates {
  /** Inputs and outputs of the products. */
  readonly hidden: number;
  /** Tokens that are multiplied at a time. */
  readonly tokens: readonly number[];
  /** Ascending by width. */
  readonly widths: readonly WidthRate[];
  /** For each number of tokens. */
  readonly slowdown: readonly Slowdown[];
}

/** Widths on both sides of one: multiples of 32 and of 8 only, even and odd numbers. */
const OFFSETS = [-33, -32, -8, -2, -1, 0, 5, 8, 32] as const;
const ALIGNED = MULTIPLES[0];
/** Widths of the model itself that are measured as well: the narrowest, the middle one and the widest. */
const OWN = 3;

export const multipleOf = (width: number): WidthRate['multiple'] =>
  MULTIPLES.find((multiple) => width % multiple === 0) ?? null;

/** The widths to measure, ascending, around the widest FFN. @param ffn widths of the model's blocks */
export function widthsAround(ffn: readonly number[]): number[] {
  const distinct = [...new Set(ffn)].sort((a, b) => a - b);
  const own = distinct.length <= OWN ? distinct : [distinct[0], distinct[distinct.length >> 1], distinct.at(-1)!];
  const base = Math.max(ALIGNED, Math.round(distinct.at(-1)! / ALIGNED) * ALIGNED);
  const all = new Set([...own, ...OFFSETS.map((offset) => base + offset)]);
  return [...all].sort((a, b) => a - b);
}

/** Rounds in which every width is measured once. The interval of `Slowdown` is from the 4th value to the 12th. */
export const ROUNDS = 15;
const IN_INTERVAL = 3;

/**
 * Each width that is no multiple of 8 is compared with the nearest one that is, so that the size of a product does not
 * matter, and within a round, so that both met the same load.
 * @param rates of the widths, (widths, rounds)
 */
export function slowdownOf(widths: readonly number[], rates: readonly (readonly number[])[]): Slowdown {
  const even = [...widths.keys()].filter((at) => multipleOf(widths[at]) !== null);
  const pairs = [...widths.keys()].flatMap((at): [number, number][] => {
    const distanceTo = (other: number): number => Math.abs(widths[other] - widths[at]);
    const [nearest] = even.toSorted((a, b) => distanceTo(a) - distanceTo(b));
    return even.includes(at) ? [] : [[at, nearest]];
  });
  const rounds = rates[0].map((_, round) =>
    median(pairs.map(([at, near]) => 1 - rates[at][round] / rates[near][round])),
  );
  const sorted = rounds.toSorted((a, b) => a - b);
  return { share: median(rounds), low: sorted[IN_INTERVAL], high: sorted[sorted.length - 1 - IN_INTERVAL] };
}

/** Below this share a difference does not matter. */
const NOTICEABLE = 0.03;

/** The finding in a sentence, for each number of tokens. */
export function findingOf({ tokens, slowdown }: Pick<WidthRates, 'tokens' | 'slowdown'>): string {
  const where = (at: number): string => (tokens[at] === 1 ? 'for one token' : `for ${tokens[at]} tokens at a time`);
  const matters = slowdown.map(({ share, low, high }) => (low > 0 || high < 0) && Math.abs(share) >= NOTICEABLE);
  if (!matters.includes(true)) return 'FFN widths that are no multiple of 8 are as fast as others on this device.';
  const found = slowdown.map(({ share }, at) => {
    if (!matters[at]) return `as fast as others ${where(at)}`;
    return `${Math.round(100 * Math.abs(share))} % ${share > 0 ? 'slower' : 'faster'} ${where(at)}`;
  });
  return `FFN widths that are no multiple of 8 are ${found.join(', and ')} on this device.`;
}
