/** Perplexities that runs have measured, by the model, the blocks that are left out, and the rows. Pure. */
import { mayOverlap, type ReadText } from '../format/text-share';
import type { Judgement } from '../engine/records/before-after/judgement';
import { readKey, textOfKey } from '../engine/records/rows-key';
import { isFloat32 } from '../format/arithmetic';
import type { JsonNumber } from '../format/json';
import { evaluatedIn } from '../format/evaluated';
import { vocabulariesDiffer } from '../format/vocabularies';
import { namesOnTop } from '../format/on-top';
import type { RunDigest } from '../protocol/panel';

/** A model without some of its blocks. */
export interface CutModel {
  readonly identity: string;
  /** Ascending; none of the whole model. */
  readonly removed: readonly number[];
}

/** In float32, from the newest run that measured it; undefined if none has. @param runs newest first */
export const perplexityIn = (runs: readonly RunDigest[], of: CutModel, rowsKey: string): JsonNumber | undefined =>
  of.removed.length === 0 ? ofWhole(runs, of.identity, rowsKey) : ofPlan(runs, of, rowsKey);

function ofWhole(runs: readonly RunDigest[], identity: string, rowsKey: string): JsonNumber | undefined {
  for (const digest of runs) {
    const { model, removed, adapter, score, curve, precision } = digest;
    if (model.identity !== identity || removed.length > 0 || adapter !== undefined) continue;
    // Scores in two precisions have the whole model in float32.
    if (!isFloat32(precision) && !(score && precision === 'mixed')) continue;
    if (score?.rowsKey === rowsKey && score.full !== undefined) return score.full;
    const start = curve?.rowsKey === rowsKey ? curve.points.find(({ count }) => count === 0) : undefined;
    const measured = start ?? evaluatedIn(digest).find((each) => each.rowsKey === rowsKey);
    if (measured) return measured.ppl;
  }
  return undefined;
}

function ofPlan(runs: readonly RunDigest[], { identity, removed }: CutModel, rowsKey: string): JsonNumber | undefined {
  const same = (blocks: readonly unknown[]): boolean => blocks.join() === removed.join();
  for (const digest of runs) {
    const { model, curve, adapter, precision } = digest;
    if (model.identity !== identity || !isFloat32(precision) || adapter !== undefined) continue;
    const measured = same(digest.removed) && evaluatedIn(digest).find((each) => each.rowsKey === rowsKey);
    if (measured) return measured.ppl;
    const point = curve?.rowsKey === rowsKey && curve.points.find((each) => same(each.removed));
    if (point) return point.ppl;
  }
  return undefined;
}

/**
 * Perplexity relative to a whole model on the same rows: the newest that runs have measured of both.
 * @param base identity of the whole model
 * @returns undefined if no rows were used for both, or a perplexity is not finite
 */
export function ratioIn(runs: readonly RunDigest[], of: CutModel, base: string): number | undefined {
  if (haveOtherVocabularies(runs, of.identity, base)) return bitsBeside(runs, of, base).at(0)?.ratio;
  const whole: CutModel = { identity: base, removed: [] };
  for (const rowsKey of rowsOf(runs, of.identity)) {
    const [own, full] = [perplexityIn(runs, of, rowsKey), perplexityIn(runs, whole, rowsKey)];
    if (typeof own === 'number' && typeof full === 'number') return own / full;
  }
  return undefined;
}

/** Bits per byte of a text, beside those of a whole model. */
export interface BitsBeside {
  /** How many more they are, as a share. */
  readonly growth: number;
  /**
   * The perplexity relative to the whole model's if both are counted per token of the whole model: its own perplexity to the
   * power of `growth`. With one vocabulary that is the quotient of both.
   */
  readonly ratio: number;
  /** Name of the text. */
  readonly text?: string;
  /** Of the rows of the model itself. */
  readonly rowsKey: string;
}

/** What runs in float32 measured of both models on the same text, newest first. @param base identity of the whole model */
export function bitsBeside(runs: readonly RunDigest[], of: CutModel, base: string): BitsBeside[] {
  const whole = bitsOf(runs, { identity: base, removed: [] });
  return bitsOf(runs, of).flatMap(({ key, rowsKey, bits, text }) => {
    const other = whole.find((each) => each.key === key);
    if (!other) return [];
    const growth = bits / other.bits - 1;
    return [{ growth, ratio: other.ppl ** growth, rowsKey, ...(text !== undefined && { text }) }];
  });
}

interface BitsOfText {
  /** Of what was read, whatever number of windows it makes. */
  readonly key: string;
  readonly rowsKey: string;
  readonly bits: number;
  readonly ppl: number;
  readonly text?: string;
}

const bitsOf = (runs: readonly RunDigest[], { identity, removed }: CutModel): BitsOfText[] =>
  runs.flatMap((run) => {
    const isOf = run.model.identity === identity && run.removed.join() === removed.join();
    if (!isOf || run.adapter !== undefined || run.patch !== undefined || !isFloat32(run.precision)) return [];
    return evaluatedIn(run).flatMap(({ rowsKey, bitsPerByte: bits, ppl, text }) =>
      rowsKey !== undefined && typeof bits === 'number' && bits > 0 && typeof ppl === 'number'
        ? [{ key: readKey(rowsKey, run), rowsKey, bits, ppl, ...(text !== undefined && { text }) }]
        : [],
    );
  });

/** Whether the vocabularies of two models differ, as far as runs tell: then perplexities of a token do not compare. */
const haveOtherVocabularies = (runs: readonly RunDigest[], ...identities: readonly string[]): boolean =>
  vocabulariesDiffer(
    identities.map(
      (identity) =>
        runs
          .filter(({ model }) => model.identity === identity)
          .flatMap((run) => evaluatedIn(run))
          .find(({ vocabulary }) => vocabulary !== undefined)?.vocabulary,
    ),
  );

/**
 * What runs have measured of a model beside its original on the same rows: on the newest rows that chose nothing, else on
 * the newest ones.
 * @param base identity of the original @param used texts that chose the model's blocks or fitted its weights
 */
export function judgementIn(
  runs: readonly RunDigest[],
  of: CutModel,
  base: string,
  used: readonly ReadText[],
): Judgement {
  return { ...onRows(runs, of, base, used), ...probeLossIn(runs, of, base) };
}

/** The most that is lost in a probe of the newest run that asked both. */
function probeLossIn(runs: readonly RunDigest[], of: CutModel, base: string): Pick<Judgement, 'probeLoss'> {
  for (const { tasks } of runs) {
    const [first] = tasks?.models ?? [];
    if (first?.identity !== base || first.removed.length > 0 || namesOnTop(first).length > 0) continue;
    const at = tasks!.models.findIndex(
      (model) =>
        model !== first &&
        model.identity === of.identity &&
        model.removed.join() === of.removed.join() &&
        namesOnTop(model).length === 0,
    );
    const losses = (tasks!.differences[at - 1]?.probes ?? []).flatMap(({ name, difference }) => {
      const able = first.probes?.find((probe) => probe.name === name)?.able;
      return able && difference !== null ? [-difference] : [];
    });
    if (losses.length > 0) return { probeLoss: Math.max(0, ...losses) };
  }
  return {};
}

function onRows(runs: readonly RunDigest[], of: CutModel, base: string, used: readonly ReadText[]): Judgement {
  const whole: CutModel = { identity: base, removed: [] };
  const flatters = (rowsKey: string): boolean => {
    const text = textOfKey(rowsKey);
    return text !== undefined && used.some((each) => mayOverlap(each, text));
  };
  if (haveOtherVocabularies(runs, of.identity, base)) {
    const all = bitsBeside(runs, of, base);
    const found = all.find(({ rowsKey }) => !flatters(rowsKey)) ?? all.at(0);
    if (!found) return {};
    const { ratio, rowsKey } = found;
    return { ratio, byBits: true, ...(flatters(rowsKey) && { flatters: true }), ...likenessIn(runs, of, rowsKey) };
  }
  const keys = rowsOf(runs, of.identity);
  for (const rowsKey of [...keys.filter((key) => !flatters(key)), ...keys.filter(flatters)]) {
    const [own, full] = [perplexityIn(runs, of, rowsKey), perplexityIn(runs, whole, rowsKey)];
    if (own === undefined || typeof full !== 'number') continue;
    // One that is not finite has no ratio, and meets no limit.
    const ratio = typeof own === 'number' ? own / full : Infinity;
    return { ratio, ...(flatters(rowsKey) && { flatters: true }), ...likenessIn(runs, of, rowsKey) };
  }
  return {};
}

/** Repetition and agreement of the newest evaluation on these rows. */
function likenessIn(
  runs: readonly RunDigest[],
  { identity, removed }: CutModel,
  rowsKey: string,
): Pick<Judgement, 'repetition' | 'same'> {
  const qualities = runs
    .filter(({ model, adapter, patch, ...run }) => {
      const isWhole = adapter === undefined && patch === undefined;
      return model.identity === identity && isWhole && run.removed.join() === removed.join();
    })
    .flatMap((run) => evaluatedIn(run))
    .filter((quality) => quality.rowsKey === rowsKey);
  const repeated = qualities.find(({ unprunedRepetition }) => typeof unprunedRepetition === 'number');
  const same = qualities.map(({ top1 }) => top1).find((top1) => typeof top1 === 'number');
  return {
    ...(repeated && {
      repetition: { own: Number(repeated.repetition), original: Number(repeated.unprunedRepetition) },
    }),
    ...(same !== undefined && { same }),
  };
}

/** The rows that runs have measured a model on, each once. */
function rowsOf(runs: readonly RunDigest[], identity: string): readonly string[] {
  const own = runs.filter(({ model }) => model.identity === identity);
  const keys = own.flatMap(({ score, curve, quality = [] }) => [
    score?.rowsKey,
    curve?.rowsKey,
    ...quality.map(({ rowsKey }) => rowsKey),
  ]);
  return [...new Set(keys.filter((key) => key !== undefined))];
}
