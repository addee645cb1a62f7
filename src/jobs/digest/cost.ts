/** What models cost, for display: sizes and speeds of records of every kind. */
import { upperMedian } from '../../engine/median';
import { basename } from 'node:path';
import type { CostDigest } from '../../engine/records/digest-types';
import { entries, finite, objects, text } from '../../engine/records/fields';
import { defined } from '../../format/defined';
import type { JsonObject } from '../../format/json';
import { readOnTop } from '../../format/on-top';

/** The fields have the same names in every result. */
export function costOf(results: JsonObject, label: string): CostDigest {
  return {
    label,
    parameters: finite(results.parameters),
    bytes: finite(results.bytes),
    prefillTokensPerSecond: finite(results.prefillTokensPerSecond),
    decodeTokensPerSecond: finite(results.decodeTokensPerSecond ?? results.tokensPerSecond),
    peakRssBytes: finite(results.peakRssBytes),
  };
}

/** Only the size: a grid has other speeds than those of one text. */
export const sizesOf = (results: JsonObject): CostDigest[] =>
  objects(results.models).map((each) => ({
    ...costOf({ parameters: each.parameters, bytes: each.bytes }, text(each.label) ?? ''),
    ...columnOf(each),
  }));

/** Sizes before and after a checkpoint was written. */
export function writtenOf(results: JsonObject, model: string, what: string): CostDigest[] {
  const out = text(results.out);
  const { parametersBefore, parametersAfter, bytesBefore, bytesAfter } = results;
  return [
    costOf({ parameters: parametersBefore, bytes: bytesBefore }, model),
    costOf({ parameters: parametersAfter, bytes: bytesAfter }, out === undefined ? `${model}, ${what}` : basename(out)),
  ];
}

/** Only the file's size: the model has its own. */
export const exportedOf = ({ out, parametersAfter, bytes }: JsonObject, model: string): CostDigest =>
  costOf({ parameters: parametersAfter, bytes }, basename(text(out) ?? `${model}, exported`));

/** One model alone, or several that were measured in turns. */
export function benchOf(results: JsonObject, model: string): CostDigest[] {
  if (!Array.isArray(results.models)) return [{ ...costOf(results, model), ...rangesOf(results), speed: 'alone' }];
  return objects(results.models).map((each) => ({
    ...costOf(each, text(each.label) ?? ''),
    speed: 'turns',
    ...columnOf(each),
    ...rangesOf(each),
  }));
}

/** Speeds of sample columns: the median over each column's texts, and the range if there are several. */
export function speedsOf(results: JsonObject): CostDigest[] {
  return objects(results.columns).map((each, column): CostDigest => {
    const own = objects(results.samples).filter((sample) => sample.column === column);
    const all = (key: string): number[] => own.map((sample) => finite(sample[key])).filter((value) => value !== null);
    const [prefill, decode] = [all('prefillTokensPerSecond'), all('decodeTokensPerSecond')];
    const speeds = {
      prefillTokensPerSecond: upperMedian(prefill) ?? null,
      decodeTokensPerSecond: upperMedian(decode) ?? null,
    };
    const ends = (speed: number[]): number[] => (speed.length > 1 ? [Math.min(...speed), Math.max(...speed)] : []);
    const ranges = rangesOf({ prefillRange: ends(prefill), decodeRange: ends(decode) });
    return { ...costOf(speeds, text(each.label) ?? ''), ...ranges, speed: 'writing', ...columnOf(each) };
  });
}

/** The least and the largest of repeats, where the record has them. */
const rangesOf = (results: JsonObject): Pick<CostDigest, 'prefillRange' | 'decodeRange'> =>
  defined({ prefillRange: rangeOf(results.prefillRange), decodeRange: rangeOf(results.decodeRange) });

function rangeOf(value: unknown): readonly [number, number] | undefined {
  const [low, high] = Array.isArray(value) ? value.map(finite) : [];
  return typeof low === 'number' && typeof high === 'number' ? [low, high] : undefined;
}

function columnOf(column: JsonObject): Pick<CostDigest, 'of' | 'precision'> {
  const [model, identity] = [text(column.model), text(column.identity)];
  const isKnown = model !== undefined && identity !== undefined;
  return defined({
    precision: text(column.precision),
    of: isKnown ? { model, identity, removed: entries(column.removed), ...readOnTop(column) } : undefined,
  });
}
