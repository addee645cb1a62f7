/** What passes cost, over the time in which the target reads one row: from a file, or from times that were measured in turns. */
import { isObject } from '../../format/json';
import { UserError } from '../errors';
import { readTextFile } from '../files/text-file';
import { median } from '../median';
import { option } from '../option-token';

/** Rows at which the target is timed. */
export const TIMED_ROWS: readonly number[] = [1, 2, 4, 8, 16];
/** Tokens before the rows that are timed. */
export const TIMED_CONTEXT = 64;
/** Measurements of each. */
export const TIMED_RUNS = 9;

/** A number, and how far the middle half of its measurements spread. */
export interface Spread {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface PassCosts {
  readonly rows: readonly number[];
  /** The target's time for them, over that for one row. */
  readonly v: readonly Spread[];
  /** Of a pass of each draft, in their order; one for all where it was given so. */
  readonly c: readonly Spread[];
  /** 0 where they were given. */
  readonly runs: number;
}

/** Times in seconds, a measurement of each in every round. */
export interface PassTimes {
  readonly rows: readonly number[];
  /** Of the target, (rows, rounds). */
  readonly target: readonly (readonly number[])[];
  /** Of the drafts reading one row, (drafts, rounds). */
  readonly drafts: readonly (readonly number[])[];
}

/** Ratios within each round, in which the machine was the same; their medians. */
export function costsOf({ rows, target, drafts }: PassTimes): PassCosts {
  const one = target[rows.indexOf(1)];
  const over = (times: readonly number[]): Spread => middleHalf(times.map((time, round) => time / one[round]));
  return { rows, v: target.map(over), c: drafts.map(over), runs: one.length };
}

/** The median, and the middle half. */
export function middleHalf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))];
  return { value: median(values), low: at(0.25), high: at(0.75) };
}

const MAX_BYTES = 1_000_000;
const MAX_ROWS = 64;
/** No pass takes longer than this many others: such a number is a mistake. */
const MAX_COST = 10_000;

/**
 * `{"rows": [1, 2, 4], "v": [1, 1.2, 1.5], "c": 0.4}`
 * @throws UserError that names the file and the field
 */
export async function readCosts(path: string): Promise<PassCosts> {
  const { text } = await readTextFile(path, MAX_BYTES, 'It holds a few numbers.');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw badCosts(path, 'it is not JSON');
  }
  if (!isObject(json)) throw badCosts(path, 'it is not an object');
  const rows = numbersIn(path, json.rows, 'rows');
  const v = numbersIn(path, json.v, 'v');
  if (rows.length !== v.length) throw badCosts(path, `"rows" has ${rows.length} numbers, and "v" has ${v.length}`);
  if (rows[0] !== 1) throw badCosts(path, '"rows" does not begin with 1');
  if (rows.some((each, i) => !Number.isInteger(each) || (i > 0 && each <= rows[i - 1])))
    throw badCosts(path, '"rows" are not whole numbers that ascend');
  const { c } = json;
  if (!isCost(c)) throw badCosts(path, '"c" is not a number above 0');
  return { rows, v: v.map((each) => exactly(each / v[0])), c: [exactly(c / v[0])], runs: 0 };
}

const exactly = (value: number): Spread => ({ value, low: value, high: value });

const isCost = (value: unknown): value is number => typeof value === 'number' && value > 0 && value < MAX_COST;

function numbersIn(path: string, value: unknown, field: string): number[] {
  if (!Array.isArray(value) || value.length === 0) throw badCosts(path, `"${field}" is not a list of numbers`);
  if (value.length > MAX_ROWS) throw badCosts(path, `"${field}" has more than ${MAX_ROWS} numbers`);
  if (!value.every(isCost)) throw badCosts(path, `"${field}" has something that is not a number above 0`);
  return value;
}

const badCosts = (path: string, why: string): UserError =>
  new UserError(
    `${option('costs', path)} cannot be used`,
    why,
    'Give {"rows": [1, 2, 4], "v": [1, 1.2, 1.5], "c": 0.4}: the time for so many rows, and of a pass of the draft, over that for one row.',
  );
