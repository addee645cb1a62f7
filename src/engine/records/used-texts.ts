/** Texts that chose blocks or fitted weights, as runs tell: a perplexity on the same rows says less than it seems to. */
import type { ReadText } from '../../format/text-share';
import { usedTexts } from './calibrations';
import type { RunDigest } from './digest-types';
import { recordKind } from './kinds';

/** Of all of these runs. */
export const textsUsedIn = (runs: readonly RunDigest[]): ReadText[] =>
  runs
    .filter(({ kind }) => recordKind(kind).chooses)
    .flatMap((run) => usedTexts(run))
    .flatMap(({ hash, share }) => (hash === undefined ? [] : [{ sha256: hash, ...(share && { share }) }]));
