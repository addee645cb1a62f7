/** The result of a scoring, in a record of kind "score", for display: scores, their intervals, and what is certain of them. */
import { jointFromBootstrap } from '../../engine/joint-interval';
import { setOf } from '../../engine/importance/result';
import type { ScoreDigest } from '../../engine/records/digest-types';
import { calibrationKey } from '../../engine/records/rows-key';
import { defined } from '../../format/defined';
import { type JsonNumber, type JsonObject, parseJsonNumber } from '../../format/json';
import { isTextFit } from '../../format/text-fit';
import { readShare, shareWords } from '../../format/text-share';
import { type Read, readResult } from '../read-result';
import type { ScoreResult } from '../results/score';

export function scoreOf(results: JsonObject): ScoreDigest {
  const read = readResult('score', results);
  const {
    criterion = '',
    full: whole,
    blocks: found = [],
    calibration,
    search,
    energy,
    screen,
    race,
    precision,
  } = read;
  const chosen = setOf({ search, energy });
  const isDivergence = found.some(({ kl }) => kl !== undefined);
  // Taylor also has the perplexity, but its scores are not perplexities and not comparable with it.
  const full = isDivergence || criterion === 'taylor' ? undefined : whole?.ppl;
  // With single modules among them, they are no order of blocks.
  const inTurn = (read.removals ?? []).some(({ part }) => part !== undefined) ? [] : (read.removals ?? []);
  const removals = inTurn.flatMap(({ block }) => block ?? []);
  const joint = jointOf(found.length, calibration?.samples, full === undefined ? LINEAR : LOGARITHMIC);
  const blocks = found.flatMap(({ index, score, low, high, margin, readRows, ...more }) => {
    if (index === undefined || score === undefined) return [];
    const { pairedLow, pairedHigh } = more;
    const paired = pairedLow !== undefined && { pairedLow, pairedHigh, ...joint({ score, ...more }) };
    return [{ index, score, low, high, ...paired, ...defined({ margin, readRows }) }];
  });
  const source = calibration?.source;
  return defined({
    criterion,
    full,
    fullKl: isDivergence ? whole?.kl : undefined,
    rowsKey: calibrationKey(results.calibration),
    text: source === undefined ? undefined : `${source}${shareWords(readShare(calibration?.share))}`,
    removals: removals.length > 0 ? removals : undefined,
    set: chosen && defined({ blocks: chosen.blocks ?? [], kl: chosen.kl }),
    blocks,
    precision,
    screen: screen && defined({ exact: screen.exact ?? 0, margin: screen.margin }),
    race: race && defined({ wanted: race.wanted ?? 0, confidence: race.confidence ?? 0 }),
    unfit: isTextFit(results.unfit) ? results.unfit : undefined,
  });
}

/** The scale on which differences are taken: losses behind perplexities, or divergences themselves. */
interface Differences {
  readonly from: (value: number) => number;
  readonly to: (value: number) => number;
}

const LINEAR: Differences = { from: (value) => value, to: (value) => value };
const LOGARITHMIC: Differences = { from: Math.log, to: Math.exp };

type Block = Read<NonNullable<ScoreResult['blocks']>[number]>;
type Ends = Pick<ScoreDigest['blocks'][number], 'jointLow' | 'jointHigh'>;

/**
 * Reads the interval that holds for all blocks, or makes it of the one for a single block, which is all that earlier versions
 * recorded.
 */
function jointOf(parts: number, rows = Infinity, { from, to }: Differences): (block: Block) => Ends {
  return ({ score, pairedLow, pairedHigh, jointLow, jointHigh }) => {
    if (jointLow !== undefined) return { jointLow, jointHigh };
    const [middle, low, high] = [score, pairedLow, pairedHigh].map((value) => from(parseJsonNumber(value) ?? NaN));
    const half = jointFromBootstrap(high - low, rows, parts);
    return { jointLow: named(to(middle - half)), jointHigh: named(to(middle + half)) };
  };
}

/** A number as JSON has it. */
const named = (value: number): JsonNumber =>
  Number.isFinite(value) ? value : Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
