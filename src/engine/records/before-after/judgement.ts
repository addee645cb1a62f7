/**
 * What a page tells of a model's quality beside the original: what decides whether it meets a goal. A perplexity alone hides
 * collapses, so the repetition of its texts and the share of equal next tokens stand beside it.
 */
import type { BeforeAfter } from './before-after';
import type { Row } from './rows';

export interface Judgement {
  /** Perplexity relative to the original's. */
  readonly ratio?: number;
  /** The vocabularies differ: the perplexity is that of a token of the original, found by bits per byte of the text. */
  readonly byBits?: true;
  /** The perplexity is of rows that chose its blocks or fitted its weights. */
  readonly flatters?: true;
  /** How much of its texts repeats what they have already, beside the original's. */
  readonly repetition?: { readonly own: number; readonly original: number };
  /** Share of tokens that both find most likely. */
  readonly same?: number;
  /** The most that it scores less than the original in a probe which the original can do. */
  readonly probeLoss?: number;
}

/** Of the file that ships where that was measured, else of the model that the page is about. */
export function judgementOf({ rows, samples, judged }: Pick<BeforeAfter, 'rows' | 'samples' | 'judged'>): Judgement {
  const row = (measure: Row['measure']): Row | undefined => rows.find((each) => each.measure === measure);
  const value = (measure: Row['measure'], column: number): number | undefined => row(measure)?.cells[column]?.value;
  const [before, after] = [value('ppl', 0), value('ppl', judged)];
  const ratio = before !== undefined && after !== undefined ? after / before : undefined;
  const [original, own] = [value('repetition', 0), value('repetition', judged)];
  const repetition = original !== undefined && own !== undefined ? { own, original } : repetitionOf(samples, judged);
  const same = value('top1', judged);
  return {
    ...(ratio !== undefined && { ratio }),
    ...(row('ppl')?.flatters && { flatters: true as const }),
    ...(repetition && { repetition }),
    ...(same !== undefined && { same }),
    ...lossOf(rows, judged),
  };
}

/** Without a probe that the original can do and both were asked, there is none. */
function lossOf(rows: readonly Row[], judged: number): Pick<Judgement, 'probeLoss'> {
  const losses = rows.flatMap(({ measure, cells, unable }) => {
    const [before, after] = [cells[0], cells[judged]];
    return measure.startsWith('probe ') && !unable && before && after ? [before.value - after.value] : [];
  });
  return losses.length === 0 ? {} : { probeLoss: Math.max(0, ...losses) };
}

/** The mean over the sample texts that both wrote. */
function repetitionOf(samples: BeforeAfter['samples'], judged: number): Judgement['repetition'] {
  const pairs = samples.flatMap(({ texts }) => {
    const [original, own] = [texts[0].repetition, texts[judged]?.repetition ?? null];
    return original === null || own === null ? [] : [{ own, original }];
  });
  if (pairs.length === 0) return undefined;
  const mean = (of: 'own' | 'original'): number => pairs.reduce((sum, each) => sum + each[of], 0) / pairs.length;
  return { own: mean('own'), original: mean('original') };
}
