/** The result of a scoring, in a record of kind "score", for display: scores, their intervals, and what is certain of them. */
import { isTextFit } from '../../format/text-fit';
import { isObject, type JsonNumber, type JsonObject, parseJsonNumber } from '../../format/json';
import { readShare, shareWords } from '../../format/text-share';
import { jointFromBootstrap } from '../joint-interval';
import type { ScoreDigest } from './digest-types';
import { entries, finite, jsonNumber, objects, text } from './fields';
import { calibrationKey } from './rows-key';

export function scoreOf(results: JsonObject): ScoreDigest {
  const whole = isObject(results.full) ? results.full : {};
  const isDivergence = objects(results.blocks).some(({ kl }) => kl !== undefined);
  const fullKl = isDivergence ? jsonNumber(whole.kl) : undefined;
  // Taylor also has the perplexity, but its scores are not perplexities and not comparable with it.
  const full = isDivergence || results.criterion === 'taylor' ? undefined : jsonNumber(whole.ppl);
  const removals = objects(results.removals).flatMap(({ block }) => finite(block) ?? []);
  const found = objects(results.blocks);
  const scale = full === undefined ? LINEAR : LOGARITHMIC;
  const joint = jointOf(
    found.length,
    finite(isObject(results.calibration) ? results.calibration.samples : null),
    scale,
  );
  const blocks = found.flatMap(({ index, score, low, high, margin, ...more }) => {
    const [at, value] = [finite(index), jsonNumber(score)];
    if (at === null || value === undefined) return [];
    const { pairedLow, pairedHigh } = more;
    const paired = pairedLow !== undefined && {
      ...{ pairedLow: jsonNumber(pairedLow), pairedHigh: jsonNumber(pairedHigh) },
      ...joint({ score, pairedLow, pairedHigh, ...more }),
    };
    const rough = margin !== undefined && { margin: jsonNumber(margin) };
    return [{ index: at, score: value, low: jsonNumber(low), high: jsonNumber(high), ...paired, ...rough }];
  });
  const precision = text(results.precision);
  const screen = isObject(results.screen) ? screenOf(results.screen) : undefined;
  const key = calibrationKey(results.calibration);
  const source = isObject(results.calibration) ? text(results.calibration.source) : undefined;
  const share = shareWords(isObject(results.calibration) ? readShare(results.calibration.share) : undefined);
  const of = { ...(key !== undefined && { rowsKey: key }), ...(source !== undefined && { text: `${source}${share}` }) };
  return {
    criterion: text(results.criterion) ?? '',
    ...(full !== undefined && { full }),
    ...(fullKl !== undefined && { fullKl }),
    ...of,
    ...(removals.length > 0 && { removals }),
    ...(isObject(results.search) && { set: setOf(results.search) }),
    blocks,
    ...(precision !== undefined && { precision }),
    ...(screen && { screen }),
    ...(isTextFit(results.unfit) && { unfit: results.unfit }),
  };
}

/** The scale on which differences are taken: losses behind perplexities, or divergences themselves. */
interface Differences {
  readonly from: (value: number) => number;
  readonly to: (value: number) => number;
}

const LINEAR: Differences = { from: (value) => value, to: (value) => value };
const LOGARITHMIC: Differences = { from: Math.log, to: Math.exp };

type Ends = Pick<ScoreDigest['blocks'][number], 'jointLow' | 'jointHigh'>;

/**
 * Reads the interval that holds for all blocks, or makes it of the one for a single block, which is all that earlier versions
 * recorded.
 */
function jointOf(parts: number, rows: number | null, { from, to }: Differences): (block: JsonObject) => Ends {
  return ({ score, pairedLow, pairedHigh, jointLow, jointHigh }) => {
    if (jointLow !== undefined) return { jointLow: jsonNumber(jointLow), jointHigh: jsonNumber(jointHigh) };
    const [middle, low, high] = [score, pairedLow, pairedHigh].map((value) => from(parseJsonNumber(value) ?? NaN));
    const half = jointFromBootstrap(high - low, rows ?? Infinity, parts);
    return { jointLow: named(to(middle - half)), jointHigh: named(to(middle + half)) };
  };
}

/** A number as JSON has it. */
const named = (value: number): JsonNumber =>
  Number.isFinite(value) ? value : Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';

function screenOf({ exact, margin }: JsonObject): ScoreDigest['screen'] {
  const off = jsonNumber(margin);
  return { exact: finite(exact) ?? 0, ...(off !== undefined && { margin: off }) };
}

function setOf({ blocks, kl }: JsonObject): ScoreDigest['set'] {
  const divergence = jsonNumber(kl);
  const set = entries(blocks).filter((block): block is number => typeof block === 'number');
  return { blocks: set, ...(divergence !== undefined && { kl: divergence }) };
}
