/**
 * Calibration rows: sequences of token ids of equal length, which every data-driven criterion scores with.
 *
 * Sampling follows `get_examples` in Shortened LLaMA's `src/dataset.py`: draw a document, encode it, accept it if it is
 * long enough and new, then draw where the row starts in it. A document is a line of JSONL or a paragraph between blank
 * lines. Where every row begins with BOS, the row's last token goes, as with `--add_bos_to_every` there.
 */
import { isObject } from '../../format/json';
import { basename, extname, resolve } from 'node:path';
import { splitIn, type TextShare, withShare } from '../../format/text-share';
import { counted } from '../../format/words';
import { telling } from '../application/read';
import { type ChatWriter, splitText } from '../application/text';
import { messageOf, UserError } from '../errors';
import { option } from '../option-token';
import { Random } from '../random';
import { DEFAULT_DRAWING } from './drawing';
import { shareOfRows, shareOfText } from '../files/share-of-text';
import { readTextFile } from '../files/text-file';
import type { BosChoice, BosMode } from '../../format/bos';
import { beginningOf, isUsual, rowPrefix } from '../tokenizer/bos';
import type { Awaitable } from '../tokenizer/tokenizer';
import { splitDocuments } from './documents';

export interface CalibrationOptions {
  /** Rows to draw from a text, or to take from the start of a file of rows; all rows of such a file when undefined. */
  readonly samples?: number;
  /** Tokens per row. Longer rows of a file are cut; undefined means no cutting. */
  readonly length?: number;
  readonly seed: number;
  /** Draw from this share of the text only. */
  readonly share?: TextShare;
  /** Accept fewer rows if the text has fewer. */
  readonly upTo?: boolean;
  /** Size of the model's vocabulary; all ids must be below it. */
  readonly vocabulary?: number;
  /** How rows that are drawn from a text begin; 'auto' when undefined. Rows of a file are taken as they are. */
  readonly bos?: BosChoice;
  /** `bos_token_id` of the model's config. */
  readonly bosTokenId?: number;
}

export interface Calibration {
  /** `samples` rows of `length` ids. */
  readonly rows: number[][];
  /** Name of the file, without its folder. */
  readonly source: string;
  /** SHA-256 (hex) of the file's bytes. */
  readonly sha256: string;
  readonly samples: number;
  readonly length: number;
  readonly seed: number;
  /** The share of the text that the rows are from; all of it when undefined. */
  readonly share?: TextShare;
  /**
   * Origin of the rows: one from each of `samples` documents, windows of the whole text, or rows of ids from the file.
   */
  readonly method: 'documents' | 'windows' | 'rows';
  /** Where the begin-of-text token is; undefined for rows of a file. */
  readonly bos?: BosMode;
  /** That is where `auto` has it. */
  readonly usualBos?: true;
  /** What the user must know of the conversations of an application's text; undefined where there is nothing. */
  readonly told?: readonly string[];
}

/** A row is a few hundred bytes of text, so a small file holds thousands. */
const FILE_CAP = 64 * 2 ** 20;
const FILE_CAP_REASON = 'Calibration needs a few thousand tokens: use a part of the file.';
/** The paper's largest set is 1 000 × 128. */
const TOKEN_CAP = 2 ** 24;
/** With more rows than this, scoring takes so long that a warning says that all rows of a file are used. */
const MANY_ROWS = 1000;

/**
 * Reads calibration rows from `file`. `.json` holds `{"rows": [[ids]]}`; its first rows are taken, without a tokenizer.
 * `.jsonl` and `.ndjson` have one document per line, in the field `text`. Any other file is text. Where the share is a split, `file` is
 * a file or a folder with an application's text.
 * @throws UserError when the file cannot be read, is too short, or holds ids outside the vocabulary
 */
export async function loadCalibration(
  file: string,
  options: CalibrationOptions,
  tokenizer: ChatWriter | undefined,
): Promise<Calibration> {
  checkOptions(options);
  if (splitIn(options.share) !== undefined) return ofApplication(file, options, tokenizer);
  const { text, sha256 } = await readTextFile(file, FILE_CAP, FILE_CAP_REASON);
  const isRows = extname(file).toLowerCase() === '.json';
  const found = isRows
    ? firstRows(shareOf(readRows(text, file), file, options), options)
    : await sample(splitDocuments(shareOfText(text, file, options.share), file), file, options, tokenizer);
  return calibrationOf(found, file, sha256, options);
}

/** Rows of a split of an application's text. */
async function ofApplication(
  path: string,
  options: CalibrationOptions,
  tokenizer: ChatWriter | undefined,
): Promise<Calibration> {
  const split = splitIn(options.share)!;
  const { documents, application, warnings } = await splitText(path, split, tokenizer);
  const name = `The application’s text for ${split}`;
  const found = await telling(application, () => sample(documents, name, options, tokenizer));
  return { ...calibrationOf(found, path, application.sha256, options), ...(warnings.length > 0 && { told: warnings }) };
}

function calibrationOf(found: Found, file: string, sha256: string, options: CalibrationOptions): Calibration {
  checkVocabulary(found.rows, options.vocabulary, file);
  const { rows, ...drawn } = found;
  const { seed, share } = options;
  const of = { source: basename(resolve(file)), sha256, ...withShare(share) };
  return { rows, ...of, samples: rows.length, length: rows[0].length, seed, ...drawn };
}

/** Warnings about the rows for the user. `context` is the model's. */
export function calibrationWarnings(
  { method, source, samples, length, told = [] }: Omit<Calibration, 'rows'>,
  wanted: Pick<CalibrationOptions, 'samples' | 'length'>,
  context: number,
): string[] {
  const warnings: string[] = [...told];
  if (method === 'rows') {
    if (samples < (wanted.samples ?? 0)) warnings.push(`${source} holds ${samples} rows, not ${wanted.samples}`);
    if (length < (wanted.length ?? 0))
      warnings.push(`the rows of ${source} have ${length} tokens, not ${wanted.length}`);
    if (wanted.samples === undefined && samples > MANY_ROWS) {
      warnings.push(
        `${source} holds ${samples} rows, and all of them are used; ${option('samples')} takes only the first ones`,
      );
    }
  }
  return [...warnings, ...contextWarning(length, context, 'rows')];
}

/** The warning for rows that are longer than the model's context; `what` names the rows. */
export function contextWarning(length: number, context: number, what: 'rows' | 'windows'): string[] {
  if (length <= context) return [];
  return [`${what} of ${length} tokens are longer than the model’s context of ${context}`];
}

type Found = Pick<Calibration, 'rows' | 'method' | 'bos' | 'usualBos'>;

const shareOf = ({ rows, method }: Found, file: string, { share }: CalibrationOptions): Found => ({
  rows: [...shareOfRows(rows, file, share)],
  method,
});

/** The requested rows. */
function firstRows({ rows, method }: Found, { samples = rows.length, length = Infinity }: CalibrationOptions): Found {
  return { rows: rows.slice(0, samples).map((row) => row.slice(0, length)), method };
}

async function sample(
  documents: readonly string[],
  file: string,
  options: CalibrationOptions,
  tokenizer: ChatWriter | undefined,
): Promise<Found> {
  const { samples = DEFAULT_DRAWING.samples, length = DEFAULT_DRAWING.length, seed, upTo } = options;
  if (tokenizer === undefined) {
    throw new UserError(
      `Cannot encode ${file}`,
      'the checkpoint has no tokenizer that Coppice can use',
      'Give token ids instead, a file {"rows": [[ids]]} named .json, or copy tokenizer.json into the checkpoint.',
    );
  }
  const beginning = beginningOf(options.bos, { tokenizer, bosTokenId: options.bosTokenId });
  const drawing = { samples, length, seed, prefix: rowPrefix(beginning) };
  const encode = (document: string) => tokenizer.encode(document, { addSpecialTokens: beginning.mode === 'stream' });
  const isStream = options.bos === 'stream'; // also of a model without the token, so that it is read again as it was asked for
  const bos = {
    bos: isStream ? ('stream' as const) : beginning.mode,
    ...(!isStream && isUsual(beginning, tokenizer) && { usualBos: true as const }),
  };
  const rows = await sampleDocuments(documents, drawing, encode);
  if (rows !== undefined) return { rows, method: 'documents', ...bos };
  const stream = await encode(documents.join('\n\n'));
  const whole = Math.floor(stream.length / (length - drawing.prefix.length));
  const count = upTo ? Math.max(1, Math.min(samples, whole)) : samples;
  return { rows: sampleWindows(stream, { ...drawing, samples: count }, file), method: 'windows', ...bos };
}

interface Drawing extends Required<Pick<CalibrationOptions, 'samples' | 'length' | 'seed'>> {
  /** Tokens before every row; they count among its tokens. */
  readonly prefix: readonly number[];
}

/** One row from each of `samples` documents, or undefined when too few documents are long enough. */
async function sampleDocuments(
  documents: readonly string[],
  { samples, length, seed, prefix }: Drawing,
  encode: (document: string) => Awaitable<number[]>,
): Promise<number[][] | undefined> {
  const random = new Random(seed);
  const seen = new Set<number>();
  const rows: number[][] = [];
  while (rows.length < samples) {
    if (documents.length - seen.size < samples - rows.length) return undefined;
    const drawn = random.below(documents.length);
    if (seen.has(drawn)) continue;
    seen.add(drawn);
    const ids = await encode(documents[drawn]);
    if (ids.length < length) continue;
    const start = random.below(ids.length - length + 1);
    rows.push([...prefix, ...ids.slice(start, start + length - prefix.length)]);
  }
  return rows;
}

/** `samples` windows of the stream, drawn without repetition. Windows do not overlap, so no token counts twice. */
function sampleWindows(stream: number[], { samples, length, seed, prefix }: Drawing, file: string): number[][] {
  const step = length - prefix.length;
  const count = Math.floor(stream.length / step);
  if (count < samples) {
    throw new UserError(
      `${file} is too short for ${samples} rows of ${length} tokens`,
      `it has ${counted(stream.length, 'token')}, ${samples * step} are needed`,
      `Give a longer text, or lower ${option('samples')} or ${option('length')}.`,
    );
  }
  const windows = Array.from({ length: count }, (_, window) => window);
  const chosen = new Random(seed).shuffle(windows).slice(0, samples);
  return chosen.map((window) => [...prefix, ...stream.slice(window * step, (window + 1) * step)]);
}

/** The rows of `{"rows": [[ids]]}`; other keys are ignored. */
function readRows(text: string, file: string): Found {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw badRows(file, `it is not JSON (${messageOf(error)})`);
  }
  const rows: unknown = isObject(json) ? json.rows : undefined;
  if (!Array.isArray(rows)) throw badRows(file, 'it has no list "rows"');
  if (rows.length === 0) throw badRows(file, '"rows" is empty');
  const length = Array.isArray(rows[0]) ? rows[0].length : 0;
  rows.forEach((row: unknown, r) => {
    if (!Array.isArray(row)) throw badRows(file, `"rows[${r}]" is not a list of token ids`);
    if (row.length < 2) throw badRows(file, `"rows[${r}]" has ${counted(row.length, 'id')}; a loss needs at least 2`);
    if (row.length !== length)
      throw badRows(file, `"rows[${r}]" has ${counted(row.length, 'id')}, "rows[0]" has ${length}`);
    const bad = row.findIndex((id) => !Number.isInteger(id) || id < 0);
    if (bad >= 0) throw badRows(file, `"rows[${r}][${bad}]" is ${JSON.stringify(row[bad])}, not a token id`);
  });
  if (rows.length * length > TOKEN_CAP) {
    throw badRows(file, `it has ${rows.length * length} ids, more than the ${TOKEN_CAP} allowed`);
  }
  return { rows: rows as number[][], method: 'rows' };
}

function badRows(file: string, why: string): UserError {
  return new UserError(
    `Cannot use ${file} for calibration`,
    why,
    'Give {"rows": [[ids], …]} with rows of one length, or a text (.txt) or JSONL (.jsonl) file.',
  );
}

function checkVocabulary(rows: readonly number[][], vocabulary: number | undefined, file: string): void {
  if (vocabulary === undefined) return;
  rows.forEach((row, r) => {
    const bad = row.findIndex((id) => id >= vocabulary);
    if (bad < 0) return;
    throw new UserError(
      `Cannot use ${file} for calibration`,
      `token ${bad} of row ${r} is ${row[bad]}, the model’s vocabulary has ${vocabulary} ids`,
      'Use rows made with this model’s tokenizer; or check that tokenizer.json belongs to the checkpoint.',
    );
  });
}

function checkOptions({
  samples = DEFAULT_DRAWING.samples,
  length = DEFAULT_DRAWING.length,
}: CalibrationOptions): void {
  const check = (name: 'samples' | 'length', value: number, least: number): void => {
    if (Number.isInteger(value) && value >= least) return;
    throw new UserError(
      `Cannot use ${option(name, value)}`,
      `it is not an integer of at least ${least}`,
      `Change ${option(name)}.`,
    );
  };
  check('samples', samples, 1);
  check('length', length, 2);
  if (samples * length > TOKEN_CAP) {
    throw new UserError(
      `Cannot use ${counted(samples, 'row')} of ${counted(length, 'token')}`,
      `that is more than ${TOKEN_CAP} tokens`,
      `Lower ${option('samples')} or ${option('length')}; the paper uses 10 rows of 128.`,
    );
  }
}
