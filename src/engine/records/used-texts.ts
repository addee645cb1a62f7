/** Texts that chose blocks or fitted weights, as runs tell: a perplexity on the same rows says less than it seems to. */
import type { ReadText } from '../../format/text-share';
import { usedTexts } from './calibrations';
import type { RunDigest } from './digest-types';

/** Kinds of runs that choose or fit. Others only measure on such texts. */
const CHOOSE: readonly string[] = ['score', 'prune', 'heal', 'iterate', 'retrain', 'merge', 'width', 'demo'];

/** Of all of these runs. */
export const textsUsedIn = (runs: readonly RunDigest[]): ReadText[] =>
  runs
    .filter(({ kind }) => CHOOSE.includes(kind))
    .flatMap((run) => usedTexts(run))
    .flatMap(({ hash, share }) => (hash === undefined ? [] : [{ sha256: hash, ...(share && { share }) }]));
