/** Scores for an agent: the blocks from least to most important. */
import { setOf } from '../../engine/importance/result';
import { bosSuffix } from '../../format/bos';
import { criterionInfo } from '../../engine/importance/criteria';
import { arithmeticWords } from '../../format/arithmetic';
import { formatSeconds } from '../../format/durations';
import { parseJsonNumber } from '../../format/json';
import { hasNoise, isNoise } from '../../format/noise';
import { formatNumber } from '../../format/numbers';
import type { CalibrationInfo, ScoreResult } from '../../jobs/results/score';
import { inLine, type Piece } from '../answer';
import { markOf, RACED, SCREENED } from '../../format/score-marks';
import type { ResultPage } from '.';

export const scorePage: ResultPage<'score'> = ({ result }) => {
  const { criterion, model, calibration, full, precision, device, seconds } = result;
  return [
    `Scores of ${inLine(model.name)} by ${criterion} (${criterionInfo(criterion).help})`,
    `text: ${textWords(calibration)}; ${arithmeticWords(precision, device)}, ${formatSeconds(seconds)}`,
    ...(full ? [`original on this text: perplexity ${number(full.ppl)}`] : []),
    ...blockParts(result),
    ...removalParts(result),
    ...orderLine(result),
  ];
};

/** "prose.txt, 10 rows of 128 tokens, seed 1234"; criteria that only read weights need no text. */
const textWords = (calibration: CalibrationInfo | null): string =>
  calibration
    ? `${inLine(calibration.source)}, ${calibration.samples} rows of ${calibration.length} tokens, seed ${calibration.seed}${bosSuffix(calibration.bos)}`
    : 'none, the weights alone';

const number = (value: unknown, digits = 5): string => formatNumber(Number(value), digits);

function blockParts({ blocks = [], full }: ScoreResult): Piece[] {
  if (blocks.length === 0) return [];
  const bare = blocks.every(({ ppl }) => ppl === undefined);
  const same = blocks.every(({ score, ppl }) => ppl === score);
  const rows = blocks.map(({ index, score, ppl, jointLow, jointHigh, margin, readRows }) => [
    `${markOf({ margin, readRows })}${index}`,
    ...(same ? [] : [number(score)]),
    ...(bare ? [] : [number(ppl), jointLow === undefined ? '' : `${number(jointLow)} to ${number(jointHigh)}`]),
  ]);
  const importance = blocks.map((_, i) => i).sort((a, b) => Number(blocks[a].score) - Number(blocks[b].score));
  const names = [
    '>block',
    ...(same ? [] : ['>score']),
    ...(bare ? [] : ['>perplexity without it', '95 % interval of that, for all blocks at once']),
  ];
  const screened = blocks.some((block) => markOf(block) === SCREENED);
  const raced = blocks.some((block) => markOf(block) === RACED);
  return [
    { names, rows, importance },
    ...noiseLine(blocks, full),
    ...(screened ? [`${SCREENED} screened in int8: these blocks matter more than the others, which are exact`] : []),
    ...(raced
      ? [`${RACED} estimated from some of the rows: these blocks matter more than the least important ones`]
      : []),
  ];
}

/** The blocks that may cost nothing, because their interval contains the whole model's number. */
function noiseLine(blocks: NonNullable<ScoreResult['blocks']>, full: ScoreResult['full']): string[] {
  const whole = parseJsonNumber(full?.kl ?? full?.ppl);
  if (!hasNoise(whole)) return [];
  const ends = (value: unknown): number => parseJsonNumber(value) ?? NaN;
  const same = blocks.filter(({ jointLow, jointHigh }) =>
    isNoise({ low: ends(jointLow), high: ends(jointHigh) }, whole),
  );
  if (same.length === 0) return [];
  return [`hardly told from noise: blocks ${same.map(({ index }) => index).join(', ')}; more samples help`];
}

function removalParts({ removals = [], search, energy, moduleSearch, leftOut = [] }: ScoreResult): Piece[] {
  const set = setOf({ search, energy });
  const parts =
    leftOut.length === 0 || leftOut.every((part) => typeof part === 'number')
      ? []
      : [`"remove" of other jobs takes ${JSON.stringify(leftOut)}; no checkpoint is written without single modules`];
  if (set ?? moduleSearch) {
    const { kl, ppl } = (set ?? moduleSearch)!;
    const names: readonly (number | string)[] = set?.blocks ?? moduleSearch!.removed;
    return [`removed together: ${names.join(', ')}: KL ${number(kl)} nats, perplexity ${number(ppl)}`, ...parts];
  }
  if (removals.length === 0) return [];
  const name = ({ block, part }: (typeof removals)[number]): string =>
    part === undefined ? String(block) : `${block}.${part}`;
  const rows = removals.map((each, i) => [String(i + 1), name(each), number(each.ppl), number(each.kl ?? NaN)]);
  const what = removals.some(({ saves }) => saves !== undefined) ? 'part' : 'block';
  return [{ names: ['>step', `>${what} removed`, '>perplexity after it', '>KL (nats)'], rows }, ...parts];
}

function orderLine({ order = [] }: ScoreResult): string[] {
  if (order.length === 0) return [];
  const names = order.map((entry) => (typeof entry === 'number' ? String(entry) : `${entry.block}.${entry.part}`));
  const isOfBlocks = order.every((entry) => typeof entry === 'number');
  const use = isOfBlocks ? ` (coppice_plan and coppice_prune take the job's id as "scores")` : '';
  return [`least important first: ${names.join(', ')}${use}`];
}
