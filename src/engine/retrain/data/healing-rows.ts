/**
 * Rows of one length for healing: calibration rows, rows from all of a text or of several files in equal parts, or text
 * that the unpruned model writes.
 */
import { type AskedRows, askedRows } from '../../importance/text-fit';
import { splitIn, type TextShare } from '../../../format/text-share';
import { counted } from '../../../format/words';
import { UserError } from '../../errors';
import { loadCalibration } from '../../importance/calibration';
import { contextWarning } from '../../importance/calibration';
import type { TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { fullView } from '../../model/view';
import { option } from '../../option-token';
import { inPhases, type JobOptions } from '../../progress';
import { fileInput } from '../../records/details';
import type { RunInput } from '../../records/record';
import type { BosChoice } from '../../../format/bos';
import { beginningOf, rowPrefix } from '../../tokenizer/bos';
import type { Tokenizer } from '../../tokenizer/tokenizer';
import { loadTrainingData, type TrainingData } from './load';
import { openingsOf } from './run-data';
import { ownTextFile } from './own-text-file';
import { selfData } from './self-data';

/** Value in place of a file: the unpruned model writes the text. */
export const SELF_TEXT = 'self';

export interface HealingText {
  /** File of calibration rows or text. */
  readonly calibration?: string;
  /** Files as in retraining, or "self"; in equal parts. "self" alone when both are undefined. */
  readonly data?: readonly string[];
  /** Tokens to fit; all rows of a file of rows when undefined. Rows that are held out come on top, if the text has more. */
  readonly tokens?: number;
  readonly length?: number;
  readonly seed: number;
  /** The share of each file that is read; all of it when undefined. */
  readonly share?: TextShare;
  /** Share of the rows that is held out. */
  readonly heldOut: number;
  /** How rows begin; 'auto' when undefined. Rows of a file are taken as they are. */
  readonly bos?: BosChoice;
}

export interface HealingRows {
  readonly fit: TokenRows;
  readonly heldOut: TokenRows;
  readonly inputs: readonly RunInput[];
  /** For records and cards: the name of the text, its rows and their length. */
  readonly text: { readonly name: string; readonly rows: number; readonly length: number };
  readonly warnings: readonly string[];
  /** How the rows were asked to begin. */
  readonly asked: AskedRows;
  /** Of the text that the model wrote; 0 if it wrote none now. */
  readonly writingSeconds: number;
}

interface Source {
  readonly author: Model;
  readonly tokenizer: Tokenizer | undefined;
  /** Tokens if none are asked for, and tokens of a row. */
  readonly defaults: { readonly tokens: number; readonly length: number };
}

interface Found {
  readonly rows: TokenRows;
  readonly input: RunInput;
}

/** @throws UserError when a text cannot be read, used or written; CancelledError */
export async function healingRows(text: HealingText, source: Source, job: JobOptions): Promise<HealingRows> {
  const { context } = source.author.architecture;
  const length = text.length ?? Math.min(source.defaults.length, context);
  const toFit = Math.ceil((text.tokens ?? source.defaults.tokens) / length);
  const wanted = text.heldOut === 0 ? toFit : Math.max(toFit + least(toFit), Math.ceil(toFit / (1 - text.heldOut)));
  const { found, asked, seconds } = await load(text, { ...source, length, wanted }, job);
  const rows = inTurn(found.map((each) => each.rows));
  const own = rows[0]?.length ?? 0;
  const { fit, heldOut } = splitRows(rows, text.heldOut, asked === undefined ? Infinity : toFit);
  const short = asked !== undefined && rows.length < asked ? [shortage(rows.length * own, asked * own)] : [];
  return {
    fit,
    heldOut,
    inputs: found.map(({ input }) => input),
    text: { name: found.map(({ input }) => input.name).join(' and '), rows: rows.length, length: own },
    warnings: [...short, ...contextWarning(own, context, 'rows')],
    asked: askedOf(text, source),
    writingSeconds: seconds,
  };
}

function askedOf({ calibration, share, bos }: HealingText, { author, tokenizer }: Source): AskedRows {
  const { bosTokenId } = author.architecture;
  const isGiven = calibration !== undefined && isRowsFile(calibration, share);
  const source = { tokenizer, bosTokenId };
  return askedRows(bos, isGiven ? undefined : beginningOf(bos, source).mode, source);
}

interface Wanted extends Source {
  readonly length: number;
  /** Rows. */
  readonly wanted: number;
}

async function load(
  text: HealingText,
  source: Wanted,
  job: JobOptions,
): Promise<{ readonly found: readonly Found[]; readonly asked: number | undefined; readonly seconds: number }> {
  const { calibration, data = [SELF_TEXT] } = text;
  if (calibration !== undefined) {
    const found = await calibrationRows(calibration, text, source);
    const fromRows = text.tokens === undefined && isRowsFile(calibration, text.share);
    return { found: [found], asked: fromRows ? undefined : source.wanted, seconds: 0 };
  }
  const files = [...new Set(data)];
  const share = Math.ceil(source.wanted / files.length);
  const phases = inPhases(
    job,
    files.map((file) => ({ share: file === SELF_TEXT ? 20 : 1 })),
  );
  const found: Found[] = [];
  let seconds = 0;
  for (const [i, file] of files.entries()) {
    if (file === SELF_TEXT) {
      const start = performance.now();
      const written = await ownRows(share, source, text, phases[i]);
      if (written.isNew) seconds = (performance.now() - start) / 1000;
      found.push(written);
    } else {
      found.push(await fileRows(file, share, source, text, phases[i]));
    }
  }
  return { found, asked: source.wanted, seconds };
}

async function calibrationRows(
  file: string,
  { tokens, length, seed, share, bos }: HealingText,
  { author, tokenizer, ...source }: Wanted,
): Promise<Found> {
  const isRows = isRowsFile(file, share);
  const rowsOfFile = tokens === undefined ? undefined : source.wanted;
  const { rows, sha256 } = await loadCalibration(
    file,
    {
      samples: isRows ? rowsOfFile : source.wanted,
      length: isRows ? length : source.length,
      seed,
      share,
      vocabulary: author.architecture.vocabulary,
      upTo: true,
      bos,
      bosTokenId: author.architecture.bosTokenId,
    },
    tokenizer,
  );
  return { rows, input: fileInput('calibration', file, sha256, share) };
}

/** Rows spread evenly over all of a file. */
async function fileRows(
  file: string,
  count: number,
  { author, tokenizer, length }: Wanted,
  { seed, share, bos }: HealingText,
  job: JobOptions,
): Promise<Found> {
  const { eosTokenIds, bosTokenId, vocabulary, context } = author.architecture;
  const beginning = beginningOf(bos, { tokenizer, bosTokenId });
  const options = {
    length,
    seed,
    share,
    heldOut: 0,
    eosTokenId: eosTokenIds[0],
    beginning,
    vocabulary,
    context,
    unwrap: true,
  };
  const { train, describe } = await loadTrainingData(file, options, tokenizer, job);
  const all = cutRows(train, length, rowPrefix(beginning));
  if (all.length === 0) {
    throw new UserError(
      `${file} is too short to heal with`,
      `it has less than one row of ${counted(length, 'token')}`,
      `Give a longer text, or a smaller ${option('length')}.`,
    );
  }
  return { rows: spread(all, count), input: fileInput('data', file, describe.files[0].sha256, share) };
}

/** Text by the unpruned model, which is kept for the next run. */
async function ownRows(
  count: number,
  { author, tokenizer, length }: Wanted,
  { seed, bos }: HealingText,
  job: JobOptions,
): Promise<Found & { readonly isNew: boolean }> {
  const { identity } = author.checkpoint;
  const cache = await ownTextFile({ identity, length, seed, bos });
  const view = fullView(author.architecture.layers.length);
  let isNew = false;
  const watched = {
    ...job,
    onProgress: (...report: Parameters<NonNullable<JobOptions['onProgress']>>) => {
      isNew = true;
      job.onProgress?.(...report);
    },
  };
  const openings = await openingsOf(tokenizer);
  const options = { tokens: count * length, length, seed, heldOut: 0, openings, cache, growing: true, bos } as const;
  const { train, describe } = await selfData(author, view, options, watched);
  const [{ file: name, sha256 }] = describe.files;
  return { rows: train.map(({ ids }) => ids), input: { role: 'data', name, sha256 }, isNew };
}

/** Full rows of the examples' tokens, one example after the other. Each row begins with the prefix, instead of each example. */
function cutRows(examples: TrainingData['train'], length: number, prefix: readonly number[]): number[][] {
  const begins = (ids: Int32Array): boolean => prefix.every((id, i) => ids[i] === id);
  const stream = examples.flatMap(({ ids }) => Array.from(begins(ids) ? ids.subarray(prefix.length) : ids));
  const step = length - prefix.length;
  return Array.from({ length: Math.floor(stream.length / step) }, (_, row) => [
    ...prefix,
    ...stream.slice(row * step, (row + 1) * step),
  ]);
}

/** At most `count` items, spread evenly. */
export function spread<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return Array.from({ length: count }, (_, i) => items[Math.floor(((i + 0.5) * items.length) / count)]);
}

/** The rows of several texts in turn. */
function inTurn(texts: readonly TokenRows[]): TokenRows {
  const longest = Math.max(...texts.map(({ length }) => length));
  return Array.from({ length: longest }, (_, r) => texts.flatMap((rows) => rows.slice(r, r + 1))).flat();
}

/** A single row would decide by chance. */
const LEAST = 2;

/** Rows to hold out at least: a quarter of a short text, but one. */
const least = (rows: number): number => Math.max(1, Math.min(LEAST, Math.floor(rows / 4)));

/**
 * Holds out a share of the rows, spread evenly; at least two, of a short text a quarter, if the share is not 0 and a
 * row is left to fit.
 * @param most rows to fit; if there are more, all others are held out
 */
export function splitRows(
  rows: TokenRows,
  share: number,
  most = Infinity,
): { readonly fit: TokenRows; readonly heldOut: TokenRows } {
  const wanted =
    rows.length > most ? rows.length - most : Math.max(least(rows.length), Math.round(share * rows.length));
  const count = share === 0 || rows.length < 2 ? 0 : wanted;
  const out = new Set(spread([...rows.keys()], Math.min(count, rows.length - 1)).slice(0, count));
  if (count === 0) return { fit: rows, heldOut: [] };
  return { fit: rows.filter((_, r) => !out.has(r)), heldOut: rows.filter((_, r) => out.has(r)) };
}

/** An application's text may be a JSON file too. */
const isRowsFile = (file: string, share: TextShare | undefined): boolean =>
  file.toLowerCase().endsWith('.json') && splitIn(share) === undefined;

const shortage = (found: number, asked: number): string =>
  `the text gives ${counted(found, 'token')} of the ${asked} that were asked for`;
