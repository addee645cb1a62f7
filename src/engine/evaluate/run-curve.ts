/** A whole curve, from what was asked for to its points: opens the model, ranks its blocks, and evaluates the removals. */
import type { Architecture } from '../checkpoint/architecture';
import type { Checkpoint } from '../checkpoint/types';
import { UserError } from '../errors';
import { loadCalibration } from '../importance/calibration';
import { type Criterion, type CriterionSettings, needsCalibration } from '../importance/criterion';
import { runCriterion } from '../importance/run-criterion';
import type { JobOptions } from '../progress';
import type { Ranking } from '../prune/ranking';
import { readScores } from '../prune/scores-file';
import { keepList } from '../prune/select';
import { fileInput } from '../runs/details';
import type { RunInput } from '../runs/record';
import { readTextFile } from '../textfile';
import { optionalTokenizer } from '../tokenizer/optional';
import { loadTokenizer } from '../tokenizer/tokenizer';
import type { Model, ModelOptions } from '../transformer/model';
import { type Opened, removedJson, withModel } from '../transformer/opened';
import { type CurvePoint, removalCurve, removalsOf } from './curve';
import { evaluationWindows } from './windows';

/** What perplexity is measured on: calibration rows, or windows of an evaluation text. */
export type CurveText =
  | {
      readonly from: 'calibration';
      readonly file: string;
      readonly samples: number;
      readonly length: number;
      readonly seed: number;
    }
  | { readonly from: 'text'; readonly file: string; readonly window: number; readonly limit?: number };

export interface CurveOptions {
  readonly criterion: Criterion;
  /** How the criterion is computed, unless `scores` names a file with its scores. */
  readonly scoring: CriterionSettings;
  readonly scores?: string;
  /** Most blocks to remove; all that may go when undefined. */
  readonly most?: number;
  /** The first four blocks and the last two stay unless false. */
  readonly plus?: boolean;
  /** Further blocks that stay. */
  readonly keep?: readonly number[];
  readonly rows: CurveText;
}

export interface Curve {
  readonly points: readonly CurvePoint[];
  readonly text: { readonly name: string; readonly sha256: string; readonly rows: number; readonly length: number };
  readonly device: Model['device'];
  readonly inputs: readonly RunInput[];
  readonly settings: Readonly<Record<string, unknown>>;
}

const MAX_TEXT_BYTES = 64 * 2 ** 20;

/**
 * @param opened the model; what it leaves out is left out of every point
 * @throws UserError when scores or texts cannot be used, CancelledError
 */
export async function runCurve(
  opened: Opened,
  options: CurveOptions,
  compute: Omit<ModelOptions, 'adapter'>,
  job: JobOptions,
): Promise<Curve> {
  const { checkpoint, architecture, adapter } = opened;
  const { criterion, most, plus = true, keep = [], rows: source } = options;
  const kept = keepList(architecture.blocks, { plus, keep });
  const { rows, input } = await loadRows(source, checkpoint, architecture);
  const ranked = await rankBlocksBy(options, checkpoint, architecture.blocks, kept, compute, job);
  const removals = removalsOf(ranked.ranking, architecture.blocks, kept, most);
  const { points, device } = await withModel(checkpoint, { ...compute, adapter }, async (model) => ({
    points: await removalCurve(model, rows, removals, opened.removed, job),
    device: model.device,
  }));
  return {
    points,
    text: { name: input.name, sha256: input.sha256!, rows: rows.length, length: rows[0].length },
    device,
    inputs: [input, ...ranked.inputs, ...opened.inputs],
    settings: { criterion, plus, keep, removed: removedJson(opened.removed), rows: source.from },
  };
}

/** From a file of scores, or computed now. */
async function rankBlocksBy(
  { criterion, scores, scoring, most }: CurveOptions,
  checkpoint: Checkpoint,
  blocks: number,
  kept: ReadonlySet<number>,
  compute: Omit<ModelOptions, 'adapter'>,
  job: JobOptions,
): Promise<{ readonly ranking: Ranking; readonly inputs: readonly RunInput[] }> {
  if (scores !== undefined) {
    const read = await readScores(scores, checkpoint, blocks);
    if (read.criterion !== criterion) {
      throw new UserError(
        `${scores} cannot be used as scores of ${criterion}`,
        `they are those of ${read.criterion}`,
        'Choose scores of that criterion, or score again.',
      );
    }
    return { ranking: read.ranking, inputs: [fileInput('scores', scores, read.sha256), ...read.inputs] };
  }
  if (needsCalibration(criterion) && scoring.calibration === undefined) {
    throw new UserError(`the criterion ${criterion} needs a calibration text`, 'none is chosen', 'Choose a text file.');
  }
  const scope = { count: Math.min(most ?? blocks - 1, blocks - kept.size), kept };
  return runCriterion(checkpoint, criterion, { ...scoring, ...compute }, job, scope);
}

interface Rows {
  readonly rows: readonly ArrayLike<number>[];
  readonly input: RunInput;
}

async function loadRows(source: CurveText, checkpoint: Checkpoint, architecture: Architecture): Promise<Rows> {
  const { vocabulary, bosTokenId } = architecture;
  if (source.from === 'calibration') {
    const { samples, length, seed } = source;
    const tokenizer = await optionalTokenizer(checkpoint.folder);
    const { rows, sha256 } = await loadCalibration(source.file, { samples, length, seed, vocabulary }, tokenizer);
    return { rows, input: fileInput('calibration', source.file, sha256) };
  }
  const reason = 'Evaluation texts have a few MB; cut it into parts.';
  const { text, sha256 } = await readTextFile(source.file, MAX_TEXT_BYTES, reason);
  const ids = (await loadTokenizer(checkpoint.folder)).encode(text, { addSpecialTokens: false });
  const bos = bosTokenId === undefined ? 'none' : 'stream';
  const { rows } = evaluationWindows(ids, { window: source.window, bos, bosTokenId, limit: source.limit });
  return { rows, input: fileInput('text', source.file, sha256) };
}
