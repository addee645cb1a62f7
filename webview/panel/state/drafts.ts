/** The curves of a forecast: what each draft gains by the most tokens that are proposed at once. Pure but for the page's texts. */
import type { DraftDigest, DraftRowDigest } from '../../../src/protocol/panel';
import { formatPercent, shortNumber } from '../../../src/format/numbers';
import { tokensText } from '../../support/amounts';
import { t } from '../../support/l10n';

/** Where a cost is known the curves are speed-ups, else tokens of a pass of the model. The model alone has 1 in both. */
export type DraftMeasure = 'speedup' | 'tokensPerRound';

export interface DraftPoint {
  readonly draft: DraftRowDigest;
  /** The most tokens that are proposed at once. */
  readonly length: number;
  readonly value: number;
  readonly tokensPerRound: number;
  readonly speedup: number | null;
  /** Its best setting, which may have a threshold; other points have none. */
  readonly best: boolean;
}

export interface DraftCurve {
  readonly draft: DraftRowDigest;
  /** Of the draft in the digest, which gives its style. */
  readonly index: number;
  /** Ascending by length. */
  readonly points: readonly DraftPoint[];
  /** Its best setting. */
  readonly best: DraftPoint;
}

export interface DraftCurves {
  readonly measure: DraftMeasure;
  readonly curves: readonly DraftCurve[];
}

/** Styles repeat after so many. */
const MOST_CURVES = 7;

/** The best draft and those that come next; all others are in the table. */
export function curvesOf({ drafts, chosen }: Pick<DraftDigest, 'drafts' | 'chosen'>): DraftCurves {
  const measure = drafts.some(({ speedup }) => speedup !== null) ? 'speedup' : 'tokensPerRound';
  const all = drafts.flatMap((draft, index) => curveOf(draft, index, measure));
  const drawn = [...all]
    .sort((a, b) => Number(b.draft.name === chosen) - Number(a.draft.name === chosen) || b.best.value - a.best.value)
    .slice(0, MOST_CURVES);
  return { measure, curves: all.filter((curve) => drawn.includes(curve)) };
}

function curveOf(draft: DraftRowDigest, index: number, measure: DraftMeasure): DraftCurve[] {
  const { length, threshold, tokensPerRound, speedup } = draft;
  const pointOf = (each: DraftRowDigest['byLength'][number], best: boolean): DraftPoint[] => {
    const value = each[measure];
    return value === null ? [] : [{ draft, ...each, value, best }];
  };
  const [best] = pointOf({ length, tokensPerRound, speedup }, true);
  if (!best) return [];
  const points = draft.byLength.flatMap((each) => pointOf(each, threshold === 0 && each.length === length));
  return [{ draft, index, points, best }];
}

/** "1.5×"; "–" where no cost is known. */
export const fasterText = (speedup: number | null): string => (speedup === null ? '–' : `${shortNumber(speedup, 3)}×`);

/** "1.5× (1.4–1.6)" */
export function rangedText({ speedup, range }: DraftRowDigest): string {
  if (speedup === null || range === undefined) return fasterText(speedup);
  return `${fasterText(speedup)} (${range.map((each) => shortNumber(each, 3)).join('–')})`;
}

/** "4", "4, from 60 %" */
export const lengthText = ({ length, threshold }: DraftRowDigest): string =>
  threshold === 0 ? String(length) : t('{0}, from {1}', length, formatPercent(threshold));

/** What a point says to mouse and screen reader: "q4_0, at most 4 tokens at once", "1.5 times as fast", … */
export function pointWords({ draft, length, tokensPerRound, speedup, best }: DraftPoint): string[] {
  const { name, threshold, agree, c } = draft;
  return [
    t('{0}, at most {1} at once', name, tokensText(length)),
    ...(speedup === null ? [] : [t('{0} times as fast as the model alone', shortNumber(speedup, 3))]),
    t('{0} tokens a pass of the model', shortNumber(tokensPerRound, 3)),
    ...(best && threshold > 0 ? [t('only tokens that the draft finds {0} likely', formatPercent(threshold))] : []),
    t('agrees on {0}', formatPercent(agree)),
    ...(c === null ? [] : [t('a pass of it takes {0} of the model’s', formatPercent(c))]),
  ];
}
