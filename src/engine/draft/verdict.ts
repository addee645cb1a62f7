/** Whether a draft pays, and what is to blame where none does. */
import { formatNumber, formatPercent, formatBytes } from '../../format/numbers';
import type { PassCosts } from './costs';
import { perfectDraft, timeOfRows } from './forecast';

/** The least that a pair must gain: below it the memory of a second model is not worth it. */
export const LEAST_GAIN = 1.1;
/** A draft that was made must beat the whole model in fewer bits, which costs nothing to make, by this factor. */
export const LEAST_OVER_TRIVIAL = 1.03;
/** What a draft that is always right must gain, for a real one to be looked for. */
export const LEAST_PERFECT = 1.3;
/** Two rows that cost more than this over one are to blame for a perfect draft that does not pay. */
const DEAR_ROWS = 1.3;
/** Two rows that cost two passes are to blame whatever a draft costs: nothing is gained by checking tokens at once. */
const HOPELESS_ROWS = 2;

export type Blame = 'agreement' | 'draftCost' | 'rows' | 'vocabulary';

export interface Verdict {
  readonly pays: boolean;
  readonly blame: Blame | null;
  /** In a sentence or two. */
  readonly why: string;
}

/** A draft with what was forecast for it. */
export interface Judged {
  readonly name: string;
  readonly trivial: boolean;
  readonly bytes: number;
  readonly agree: number;
  readonly tokensPerRound: number;
  /** On the prompts that decide: those held out, if there are any. */
  readonly speedup: number;
}

export interface Perfect {
  readonly length: number;
  readonly speedup: number;
}

/** What a draft of the cheapest kind that is always right would gain, and why it does not if that is too little. */
export function judgePerfect(
  { rows, v, c }: PassCosts,
  headShare: number,
  lengths: readonly number[],
): Perfect & { readonly verdict?: Verdict } {
  const times = v.map(({ value }) => value);
  const cheapest = Math.min(...c.map(({ value }) => value));
  const perfect = perfectDraft({ rows, times, draft: cheapest }, lengths);
  if (perfect.speedup >= LEAST_PERFECT) return perfect;
  const two = timeOfRows({ rows, times }, 2);
  // A pass of any draft of this model computes its head at least.
  const headAlone = perfectDraft({ rows, times, draft: headShare }, lengths).speedup;
  const isHead = two < HOPELESS_ROWS && headAlone < LEAST_PERFECT;
  const blame = isHead || two < DEAR_ROWS ? 'draftCost' : 'rows';
  const head = isHead ? `; the head alone is ${formatPercent(headShare)} of what a pass reads` : '';
  const why =
    `No draft pays here: two rows cost this model ${timesWords(two)} one, and a pass of the draft ${timesWords(cheapest)} one of the model${head}. ` +
    `Even a draft that is always right would give ${timesWords(perfect.speedup)}.`;
  return { ...perfect, verdict: { pays: false, blame, why } };
}

/**
 * @param asked the draft that was asked for, or the best one
 * @param bar the best of the model itself in fewer bits; undefined where none was forecast
 * @param perfect of a draft that is always right
 */
export function judge(asked: Judged, bar: Judged | undefined, perfect: Perfect): Verdict {
  const { name, agree, speedup, tokensPerRound, bytes } = asked;
  if (speedup < LEAST_GAIN) {
    return {
      pays: false,
      blame: 'agreement',
      why:
        `No draft pays here: of the tokens that the best one proposes (${name}), ${formatPercent(agree)} would be taken, which gives ${timesWords(speedup)}. ` +
        `One that is always right would give ${timesWords(perfect.speedup)}.`,
    };
  }
  if (bar && !asked.trivial && speedup < bar.speedup * LEAST_OVER_TRIVIAL) {
    return {
      pays: false,
      blame: 'agreement',
      why:
        `${name} does not pay: it gives ${timesWords(speedup)}, and the model itself in ${bar.name} gives ${timesWords(bar.speedup)}. ` +
        'Nothing needs to be made for that one.',
    };
  }
  const other = bar && !asked.trivial ? ` The model itself in ${bar.name} would give ${timesWords(bar.speedup)}.` : '';
  return {
    pays: true,
    blame: null,
    why: `${timesWords(speedup)} as fast, with the same text: ${formatNumber(tokensPerRound, 2)} tokens a pass of the model, for ${formatBytes(bytes)} more (${name}).${other}`,
  };
}

const timesWords = (value: number): string => `${formatNumber(value, value < 10 ? 3 : 2)} ×`;
