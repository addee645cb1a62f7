/** Reads the output (or the record) of `coppice score --json`, for `prune --scores`. */
import { isTextFit, type TextFit } from '../../format/text-fit';
import { readShare, withShare } from '../../format/text-share';
import { isBosMode } from '../../format/bos';
import type { Checkpoint } from '../checkpoint/types';
import { UserError } from '../errors';
import { command, option } from '../option-token';
import { refusePart } from '../records/part';
import { isObject, type JsonObject, parseJsonNumber } from '../../format/json';
import { readTextFile } from '../files/text-file';
import type { ScoringText } from './choice';
import { setOf } from './result';
import type { Ranking } from './ranking';
import type { ScreenOfScores } from './uncertain';

const MAX_SCORES_BYTES = 64 * 2 ** 20;

export interface ScoresFile {
  readonly criterion: string;
  readonly ranking: Ranking;
  readonly sha256: string;
  /** The calibration text of the scores, if any. */
  readonly calibration?: ScoringText;
  /** Set if some of the scores are those of a screen. */
  readonly screened?: ScreenOfScores;
  /** The model does not fit the text that it was scored on. */
  readonly unfit?: TextFit;
}

/**
 * Scores of `checkpoint`, which has `blocks` blocks.
 * @throws UserError when the file has no scores, or has scores of single modules, of a view or of another model
 */
export async function readScores(path: string, checkpoint: Checkpoint, blocks: number): Promise<ScoresFile> {
  const { text, sha256 } = await readTextFile(path, MAX_SCORES_BYTES, 'Scores have a few kilobytes.');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refusal(path)('it is not JSON', undefined, error);
  }
  return { ...scoresIn(value, path, checkpoint, blocks), sha256 };
}

/**
 * The same from the result of a job, or from its record.
 * @param named the scores in messages
 */
export function scoresIn(
  value: unknown,
  named: string,
  checkpoint: Pick<Checkpoint, 'identity'>,
  blocks: number,
): Omit<ScoresFile, 'sha256'> {
  const refuse = refusal(named);
  refusePart(value, `${named} cannot be used as scores`);
  const scores = isObject(value) && isObject(value.results) ? value.results : value; // in a record they are the field "results"
  if (!isObject(scores) || typeof scores.criterion !== 'string' || !isObject(scores.model)) {
    throw refuse('it has no criterion or no model');
  }
  const { model } = scores;
  if (model.identity !== checkpoint.identity) {
    throw refuse(
      `they are the scores of another model (${typeof model.name === 'string' ? model.name : 'unnamed'}), ` +
        `with the identity ${shortened(model.identity)} instead of ${shortened(checkpoint.identity)}`,
      'Score this checkpoint, or prune the one that was scored.',
    );
  }
  if (Array.isArray(scores.removed) && scores.removed.length > 0) {
    throw refuse(
      `they are the scores of a view (score ${option('remove')})`,
      'Score the original, or write the view first.',
    );
  }
  if (scores.adapter !== undefined) {
    throw refuse(
      `they are the scores of a model with an adapter on top (score ${option('adapter')})`,
      `Merge the adapter with \`${command('merge')}\` and score the merged checkpoint.`,
    );
  }
  if (scores.patch !== undefined) {
    throw refuse(
      `they are the scores of a healed model (score ${option('heal')})`,
      `Write that model with \`${command('heal')}\` and score the checkpoint.`,
    );
  }
  if (Array.isArray(scores.modules) || isOfModules(scores.removals) || isObject(scores.moduleSearch)) {
    const set = isListOfParts(scores.leftOut) ? scores.leftOut : [];
    if (set.length > 0 && set.every((part) => typeof part === 'number')) {
      throw refuse(
        'they are of a search among single modules, and rank no blocks',
        `It found whole blocks: name them with ${option('blocks', set.join(','))} in place of the scores.`,
      );
    }
    throw refuse(
      'they are scores of single modules, and a checkpoint without one cannot be written',
      `Score without ${option('granularity')}; or look at the modules with ${option('remove', set.length > 0 ? set.join(',') : undefined)}, which works with eval, generate, bench, and heal as a patch.`,
    );
  }
  const found = rankingOf(scores, blocks);
  if (typeof found === 'string') throw refuse(found);
  const ranking = { ...found, baseline: baselineOf(scores.full) };
  const screened = screenOf(scores);
  return {
    criterion: scores.criterion,
    ranking,
    calibration: scoringText(scores.calibration),
    ...(screened && { screened }),
    ...(isTextFit(scores.unfit) && { unfit: scores.unfit }),
  };
}

const isListOfParts = (value: unknown): value is readonly (number | string)[] =>
  Array.isArray(value) && value.length > 0 && value.every((each) => /^\d{1,6}(\.(attention|ffn))?$/.test(String(each)));

const isOfModules = (removals: unknown): boolean =>
  Array.isArray(removals) && removals.some((removal) => isObject(removal) && removal.part !== undefined);

const refusal =
  (named: string) =>
  (why: string, action = `Give what \`${command('score', option('json'))}\` printed.`, cause?: unknown): UserError =>
    new UserError(`${named} cannot be used as scores`, why, action, { cause });

/** The screen of scores of which some are in float32, or all in another precision: of these, none is certain. */
function screenOf({ screen, race, blocks, precision }: JsonObject): ScreenOfScores | undefined {
  const isRough = (block: unknown): boolean =>
    isObject(block) && block.precision !== undefined && block.precision !== 'float32';
  if (!Array.isArray(blocks)) return precision === 'int8' ? { exact: 0 } : undefined;
  if (!blocks.some(isRough) || precision === 'float16') return racedOf(race, blocks);
  if (!isObject(screen)) return { exact: 0 };
  const margin = parseJsonNumber(screen.margin);
  return { exact: Number(screen.exact) || 0, ...(margin !== undefined && { margin }) };
}

/** Where blocks dropped out of a race, those that were wanted are certain. */
const racedOf = (race: unknown, blocks: readonly unknown[]): ScreenOfScores | undefined =>
  blocks.some((block) => isObject(block) && block.readRows !== undefined)
    ? { exact: isObject(race) ? Number(race.wanted) || 0 : 0, isRace: true }
    : undefined;

/** The ranking of the blocks by these scores, or an error when they give none. */
function rankingOf(scores: JsonObject, blocks: number): Ranking | string {
  const isBlock = (value: unknown): value is number =>
    Number.isInteger(value) && Number(value) >= 0 && Number(value) < blocks;
  if (Array.isArray(scores.windows)) {
    const windows = scores.windows.filter(isObject).map(({ start, size, score }) => ({
      start: Number(start),
      size: Number(size),
      score: parseJsonNumber(score) ?? NaN,
    }));
    const fits = windows.every(({ start, size }) => isBlock(start) && size >= 1 && isBlock(start + size - 1));
    return fits && windows.length > 0
      ? { kind: 'windows', windows }
      : `its windows do not fit a model of ${blocks} blocks`;
  }
  if (Array.isArray(scores.removals)) {
    const listed = scores.removals.map((removal: unknown): JsonObject => (isObject(removal) ? removal : {}));
    const removals = listed.map(({ block }) => block);
    if (!removals.every(isBlock)) return `its removals do not fit a model of ${blocks} blocks`;
    return { kind: 'removals', removals, losses: listed.map(({ meanNll }) => parseJsonNumber(meanNll)) };
  }
  const found = setOf(scores);
  if (isObject(found)) {
    const { blocks: set, kl } = found;
    return Array.isArray(set) && set.length > 0 && set.every(isBlock) && new Set(set).size === set.length
      ? { kind: 'set', set, kl: parseJsonNumber(kl) }
      : `its set does not fit a model of ${blocks} blocks`;
  }
  if (!Array.isArray(scores.blocks)) return 'it has neither blocks nor windows nor removals nor a set';
  const list = Array<number | undefined>(blocks).fill(undefined);
  for (const block of scores.blocks as unknown[]) {
    if (isObject(block) && isBlock(block.index)) list[block.index] = parseJsonNumber(block.score);
  }
  const missing = list.indexOf(undefined);
  return missing >= 0 ? `it has no score for block ${missing}` : { kind: 'scores', scores: list as number[] };
}

/** Mean loss of the whole model, if the scores contain it. */
const baselineOf = (full: unknown): number | undefined => (isObject(full) ? parseJsonNumber(full.meanNll) : undefined);

function scoringText(calibration: unknown): ScoringText | undefined {
  if (!isObject(calibration)) return undefined;
  const { source, sha256, samples, length, seed, share, bos, usualBos } = calibration;
  if (typeof source !== 'string' || typeof sha256 !== 'string') return undefined;
  const count = (name: string, value: unknown): object => (Number.isSafeInteger(value) ? { [name]: value } : {});
  const drawn = { ...count('samples', samples), ...count('length', length), ...count('seed', seed) };
  const begun = { ...(isBosMode(bos) && { bos }), ...(usualBos === true && { usualBos: true as const }) };
  return { name: source, sha256, ...drawn, ...begun, ...withShare(readShare(share)) };
}

const shortened = (identity: unknown): string => (typeof identity === 'string' ? identity.slice(0, 12) : 'missing');
