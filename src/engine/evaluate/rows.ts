/** The rows of tokens that perplexity is measured on: calibration rows, or windows of an evaluation text. */
import { basename } from 'node:path';
import { splitIn, type TextShare, withShare } from '../../format/text-share';
import { type Application, telling } from '../application/read';
import { splitText } from '../application/text';
import type { Architecture } from '../checkpoint/architecture';
import type { Checkpoint } from '../checkpoint/types';
import { type Calibration, calibrationWarnings, contextWarning, loadCalibration } from '../importance/calibration';
import { fileInput } from '../records/details';
import { announce, type JobOptions } from '../progress';
import type { RunInput } from '../records/record';
import { shareOfText } from '../files/share-of-text';
import { readTextFile } from '../files/text-file';
import type { BosChoice, BosMode } from '../../format/bos';
import { beginningOf, bosIdOf } from '../tokenizer/bos';
import { optionalTokenizer } from '../tokenizer/optional';
import { loadTokenizer, type Tokenizer } from '../tokenizer/tokenizer';
import { sizeOfRows, sizeOfStart, type TextSize } from './bits-per-byte';
import { windowsOfText } from './text-windows';

export type RowSource =
  | {
      readonly from: 'calibration';
      readonly file: string;
      readonly samples?: number;
      readonly length?: number;
      readonly seed: number;
      readonly share?: TextShare;
      readonly bos?: BosChoice;
    }
  | {
      readonly from: 'text';
      readonly file: string;
      readonly window: number;
      readonly limit?: number;
      readonly bos?: BosChoice;
      readonly share?: TextShare;
    };

export interface Rows {
  /** All of one length. */
  readonly rows: readonly ArrayLike<number>[];
  readonly input: RunInput;
  /** How the rows were taken from the text, for the record. */
  readonly drawn: Readonly<Record<string, unknown>>;
  /** Where the begin-of-text token is; 'given' for rows of ids, which are taken as they are. */
  readonly bos: BosMode | 'given';
  /** The begin-of-text token; undefined if the model has none. */
  readonly bosId: number | undefined;
  /** Warnings about the rows for the user. */
  readonly warnings: readonly string[];
  /**
   * How long the text in the rows is; undefined for rows of ids, which have none.
   * @throws UserError if the tokenizer fails, CancelledError
   */
  readonly textSize?: () => Promise<TextSize>;
}

/** How calibration rows were drawn, for a record. */
const drawnOf = ({ samples, length, seed, bos, usualBos }: Calibration): Rows['drawn'] => ({
  ...{ samples, length, seed },
  ...(bos && { bos }),
  ...(usualBos && { usualBos }),
});

const MAX_TEXT_BYTES = 64 * 2 ** 20;

/** @throws UserError when the text cannot be read, or is too short for a row; CancelledError */
export async function loadRows(
  source: RowSource,
  checkpoint: Checkpoint,
  architecture: Architecture,
  job: JobOptions,
): Promise<Rows> {
  const { vocabulary, bosTokenId, context } = architecture;
  if (source.from === 'calibration') {
    const { file, samples, length, seed, share, bos } = source;
    const tokenizer = await optionalTokenizer(checkpoint.home, job);
    const settings = { samples, length, seed, share, vocabulary, bos, bosTokenId };
    const calibration = await loadCalibration(file, settings, tokenizer);
    const { rows, bos: mode } = calibration;
    const bosId = bosIdOf({ tokenizer, bosTokenId });
    return {
      rows,
      input: fileInput('calibration', file, calibration.sha256, share),
      drawn: drawnOf(calibration),
      bos: mode ?? 'given',
      bosId,
      warnings: calibrationWarnings(calibration, source, context),
      ...(tokenizer &&
        mode !== undefined && { textSize: () => sizeOfRows(tokenizer, rows, mode === 'none' ? undefined : bosId) }),
    };
  }
  const tokenizer = await loadTokenizer(checkpoint.home, job);
  const { text, sha256, warnings, read } = await textOf(source, tokenizer, job);
  const { window, limit } = source;
  const beginning = beginningOf(source.bos, { tokenizer, bosTokenId });
  const bos = beginning.mode;
  announce(job, `reading ${basename(source.file)} as tokens`);
  const cut = () => windowsOfText(tokenizer, text, { window, beginning, limit });
  const { rows, read: encoded } = await (read ? telling(read, cut) : cut());
  const inWindows = rows.length * window - (bos === 'stream' ? 1 : 0);
  return {
    rows,
    input: fileInput('text', source.file, sha256, source.share),
    drawn: { window, limit: limit ?? null, bos, ...withShare(source.share) },
    bos,
    bosId: bosIdOf({ tokenizer, bosTokenId }),
    warnings: [...warnings, ...contextWarning(window, context, 'windows')],
    textSize: () => sizeOfStart(tokenizer, encoded, inWindows),
  };
}

interface SourceText {
  readonly text: string;
  readonly sha256: string;
  readonly warnings: readonly string[];
  /** The application whose text it is. */
  readonly read?: Application;
}

/** The share of a text file, or a split of an application's text: its documents one after the other. */
async function textOf(
  { file, share }: Pick<RowSource, 'file' | 'share'>,
  tokenizer: Tokenizer,
  job: JobOptions,
): Promise<SourceText> {
  const split = splitIn(share);
  if (split !== undefined) {
    const { documents, application: read, warnings } = await splitText(file, split, tokenizer, job);
    return { text: documents.join('\n\n'), sha256: read.sha256, warnings, read };
  }
  const reason = 'Evaluation texts have a few MB; cut it into parts.';
  const { text, sha256 } = await readTextFile(file, MAX_TEXT_BYTES, reason);
  return { text: shareOfText(text, file, share), sha256, warnings: [] };
}
