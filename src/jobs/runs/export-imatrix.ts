/** The importance matrix of an export: read from a file, or measured while the model that is exported reads a text. */
import { basename } from 'node:path';
import { foldersOf } from '../../engine/checkpoint/folders';
import { hashFile } from '../../engine/files/regular-file';
import { calibrationWarnings, loadCalibration } from '../../engine/importance/calibration';
import { columnSums } from '../../engine/importance/columns';
import { readImportanceMatrix } from '../../engine/formats/gguf/imatrix';
import type { ModelOptions } from '../../engine/model/model';
import { type OpenedModel, withModel } from '../../engine/model/opened';
import { fileInput } from '../../engine/records/details';
import type { RunInput } from '../../engine/records/record';
import { optionalTokenizer } from '../../engine/tokenizer/optional';
import { splitIn } from '../../format/text-share';
import { type NamedMatrix, requireMeasured } from '../../engine/write/gguf/importance';
import { writeImportanceMatrix } from '../../engine/write/gguf/write-imatrix';
import type { ImatrixResult } from '../results/export';
import { checkFileTarget, refuseExisting } from '../file-target';
import type { OptionsFor } from '../kinds';
import type { JobContext } from '../run';

type Options = OptionsFor<'export'>;

/** An importance matrix, and where it is from. */
export interface ExportImatrix extends NamedMatrix {
  readonly input: RunInput;
  readonly told: Omit<ImatrixResult, 'matrices' | 'saved'>;
}

/** Refuses a file for the importance matrix that could not be written, before the work starts. @throws UserError */
export async function checkSaved({ saveImatrix, checkpoint }: Options): Promise<void> {
  if (saveImatrix === undefined) return;
  await checkFileTarget('the importance matrix', saveImatrix, checkpoint);
  await refuseExisting(saveImatrix, 'Name another file.');
}

/**
 * @param kept blocks that are written
 * @returns undefined where none is asked for
 * @throws UserError for a file or a text that cannot be used; CancelledError
 */
export async function imatrixOf(
  options: Options,
  opened: OpenedModel,
  kept: readonly number[],
  compute: ModelOptions,
  context: JobContext,
): Promise<ExportImatrix | undefined> {
  const { imatrix } = options;
  if (imatrix === undefined) return undefined;
  if (imatrix !== 'auto') {
    const matrix = await readImportanceMatrix(imatrix);
    const input = fileInput('imatrix', imatrix, await hashFile(imatrix));
    return { matrix, file: imatrix, input, told: { from: basename(imatrix) } };
  }
  requireMeasured(opened.architecture);
  return measuredImatrix(
    { ...options, calibration: options.calibration!, share: choosingShare(options.share) },
    opened,
    kept,
    compute,
    context,
  );
}

/** The rows that are read. */
type Reading = Pick<OptionsFor<'export'>, 'samples' | 'length' | 'seed' | 'bos' | 'share' | 'saveImatrix'> & {
  readonly calibration: string;
};

/**
 * Measures the model, without some blocks and with its changes, while it reads calibration rows.
 * @throws UserError for a text that cannot be used; CancelledError
 */
export async function measuredImatrix(
  { calibration: text, samples, length, seed, bos, share, saveImatrix: file = 'auto' }: Reading,
  { checkpoint, architecture, changes }: OpenedModel,
  kept: readonly number[],
  compute: ModelOptions,
  context: Pick<JobContext, 'job' | 'warn'>,
): Promise<ExportImatrix> {
  const tokenizer = await optionalTokenizer(checkpoint.home, context.job);
  const { vocabulary, bosTokenId } = architecture;
  const drawing = { samples, length, seed, share, vocabulary, bos, bosTokenId };
  const calibration = await loadCalibration(text, drawing, tokenizer);
  calibrationWarnings(calibration, { samples, length }, architecture.context).forEach(context.warn);
  const { rows, source, sha256 } = calibration;
  const entries = await withModel(checkpoint, { ...compute, changes }, (model) =>
    columnSums(model, kept, rows, context.job),
  );
  return {
    matrix: { entries, texts: [source], rows: rows.length, rowLength: calibration.length },
    file,
    input: fileInput('calibration', text, sha256, calibration.share),
    told: { from: 'auto', rows: rows.length, tokens: rows.length * calibration.length },
  };
}

/** What weighs the columns is fitted, so it is the share that chooses where another one judges. */
function choosingShare(share: Options['share']): Options['share'] {
  if (share === undefined) return undefined;
  return splitIn(share) === undefined ? 'choose' : 'calibration';
}

/** Keeps it where that is asked for. @returns the file, absolute */
export async function saveImatrix(
  { saveImatrix: file }: Options,
  { checkpoint }: OpenedModel,
  found: ExportImatrix | undefined,
): Promise<string | undefined> {
  if (file === undefined || !found) return undefined;
  return writeImportanceMatrix(found.matrix, file, foldersOf(checkpoint));
}

/** For the result. */
export const imatrixResult = (
  found: ExportImatrix | undefined,
  matrices: number | undefined,
  saved: string | undefined,
): { readonly imatrix?: ImatrixResult } =>
  found ? { imatrix: { ...found.told, matrices: matrices ?? 0, ...(saved !== undefined && { saved }) } } : {};
