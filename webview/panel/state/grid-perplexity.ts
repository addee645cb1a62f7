/** Perplexities of the models of a grid, as other runs have measured them: the other axis of the paper's Figure 1. Pure. */
import { isFloat32, precisionWords } from '../../../src/format/arithmetic';
import { onTop, onTopKey } from '../../../src/format/on-top';
import { evaluatedIn } from '../../../src/format/evaluated';
import type { GridDigest, GridModelDigest, PanelRun, RunDigest } from '../../../src/protocol/panel';
import { vocabulariesDiffer } from '../../../src/format/vocabularies';
import { numeric } from '../../../src/format/json';
import { namedIn } from './precisions';

export interface GridPerplexities {
  /** Name of the text, and for each model its perplexity on it, null if unknown. */
  readonly text: string;
  readonly ppl: readonly (number | null)[];
}

/**
 * Perplexities on one text: that of the panel if two models have them there, otherwise the text that most models have.
 * @param runs newest first
 * @returns undefined if fewer than two models with the same vocabulary have a perplexity on the same rows
 */
export function perplexitiesOf(
  { models }: GridDigest,
  runs: readonly PanelRun[],
  panelKey: string | undefined,
): GridPerplexities | undefined {
  const found = runs.flatMap(({ digest }) => measurementsOf(digest));
  const keys = [...new Set([...(panelKey === undefined ? [] : [panelKey]), ...found.map(({ key }) => key)])];
  const onKey = (key: string): (number | null)[] =>
    models.map((model) => found.find((each) => each.key === key && isSame(each.of, model))?.ppl ?? null);
  const known = (ppl: readonly (number | null)[]): number => ppl.filter((each) => each !== null).length;
  const isAlike = (key: string): boolean =>
    !vocabulariesDiffer(found.map((each) => (each.key === key ? each.vocabulary : undefined)));
  const all = keys.map((key) => ({ key, ppl: onKey(key) })).filter(({ key, ppl }) => known(ppl) >= 2 && isAlike(key));
  const own = all.find(({ key }) => key === panelKey);
  const best = own ?? all.toSorted((a, b) => known(b.ppl) - known(a.ppl)).at(0);
  return best && { text: found.find(({ key }) => key === best.key)?.text ?? '', ppl: best.ppl };
}

interface Measurement {
  readonly of: NonNullable<GridModelDigest['of']>;
  readonly key: string;
  readonly text: string;
  readonly ppl: number;
  /** Tokens; undefined if the run does not tell. */
  readonly vocabulary?: number;
}

function measurementsOf(digest: RunDigest): Measurement[] {
  const { model, removed, curve, precision } = digest;
  const { name, identity } = model;
  if (identity === undefined) return [];
  const of = { model: name, identity, removed, ...onTop(digest) };
  const keyIn = (rows: string): string => (isFloat32(precision) ? rows : `${rows} ${precisionWords(precision)}`);
  return [
    ...evaluatedIn(digest).flatMap(({ ppl, vocabulary, rowsKey, text = '' }) =>
      rowsKey === undefined
        ? []
        : [{ of, key: keyIn(rowsKey), text: namedIn(text, precision), ppl: numeric(ppl), vocabulary }],
    ),
    ...(curve?.rowsKey === undefined
      ? []
      : curve.points.map((point) => ({
          of: { ...of, removed: [...removed, ...point.removed] },
          key: keyIn(curve.rowsKey!),
          text: namedIn(curve.text, precision),
          ppl: numeric(point.ppl),
        }))),
  ].filter(({ ppl }) => Number.isFinite(ppl));
}

function isSame(one: Measurement['of'], { of }: GridModelDigest): boolean {
  if (!of) return false;
  const parts = ({ removed }: Measurement['of']): string => [...new Set(removed)].sort().join();
  return one.identity === of.identity && parts(one) === parts(of) && onTopKey(one) === onTopKey(of);
}
