/** Perplexity against the number of removed blocks, in the order of a criterion. */
import type { Architecture } from '../../engine/checkpoint/architecture';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { removalCurve, removalsOf } from '../../engine/evaluate/curve';
import { evaluationWindows } from '../../engine/evaluate/windows';
import { UserError } from '../../engine/errors';
import { loadCalibration } from '../../engine/importance/calibration';
import { needsCalibration } from '../../engine/importance/criterion';
import { runCriterion } from '../../engine/importance/run-criterion';
import type { Ranking } from '../../engine/prune/ranking';
import { readScores } from '../../engine/prune/scores-file';
import { keepList } from '../../engine/prune/select';
import { detailsOf, fileInput } from '../../engine/runs/details';
import type { RunInput } from '../../engine/runs/record';
import { readTextFile } from '../../engine/textfile';
import { optionalTokenizer } from '../../engine/tokenizer/optional';
import { loadTokenizer } from '../../engine/tokenizer/tokenizer';
import { openForComputing, removedJson, withModel } from '../../engine/transformer/opened';
import type { CurveRows, CurveSpec } from '../../protocol/scores';
import { MAX_TEXT_BYTES, MAX_TEXT_REASON } from './evaluate';
import { type Job, type JobContext, modelOptions, secondsSince, wanted } from './job';
import { calibrationSettings, criterionSettings } from './settings';

export const curve: Job<'curve', CurveSpec> = async (spec, context) => {
  const start = performance.now();
  const opened = await openForComputing(spec.checkpoint, wanted(spec));
  const { checkpoint, architecture, adapter } = opened;
  const kept = keepList(architecture.blocks, { plus: spec.plus, keep: spec.keep ?? [] });
  const text = await loadRows(spec.rows, checkpoint, architecture);
  const ranked = await rankingOf(spec, checkpoint, architecture.blocks, kept, context);
  const removals = removalsOf(ranked.ranking, architecture.blocks, kept, spec.most);
  const options = { ...modelOptions(spec, context.hooks), adapter };
  const { points, device } = await withModel(checkpoint, options, async (model) => ({
    points: await removalCurve(model, text.rows, removals, opened.removed, context.job),
    device: model.device,
  }));
  const { criterion } = spec;
  const described = {
    name: text.input.name,
    sha256: text.input.sha256!,
    rows: text.rows.length,
    length: text.rows[0].length,
  };
  return {
    result: { criterion, points, text: described, seconds: secondsSince(start) },
    run: detailsOf(checkpoint, spec, {
      inputs: [text.input, ...ranked.inputs, ...opened.inputs],
      settings: {
        criterion,
        plus: spec.plus ?? true,
        keep: spec.keep ?? [],
        removed: removedJson(opened.removed),
        rows: spec.rows.from,
      },
      device,
    }),
  };
};

/** From a file of scores, or computed now. */
async function rankingOf(
  { criterion, scores, scoring = {}, most, ...compute }: CurveSpec,
  checkpoint: Checkpoint,
  blocks: number,
  kept: ReadonlySet<number>,
  { job, hooks }: JobContext<'curve'>,
): Promise<{ ranking: Ranking; inputs: readonly RunInput[] }> {
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
  const settings = { ...criterionSettings(scoring), ...modelOptions(compute, hooks) };
  const scope = { count: Math.min(most ?? blocks - 1, blocks - kept.size), kept };
  return runCriterion(checkpoint, criterion, settings, job, scope);
}

interface Rows {
  readonly rows: readonly ArrayLike<number>[];
  readonly input: RunInput;
}

async function loadRows(source: CurveRows, checkpoint: Checkpoint, architecture: Architecture): Promise<Rows> {
  const { vocabulary, bosTokenId } = architecture;
  if (source.from === 'calibration') {
    const options = { ...calibrationSettings(source), vocabulary };
    const { rows, sha256 } = await loadCalibration(source.file, options, await optionalTokenizer(checkpoint.folder));
    return { rows, input: fileInput('calibration', source.file, sha256) };
  }
  const { text, sha256 } = await readTextFile(source.file, MAX_TEXT_BYTES, MAX_TEXT_REASON);
  const ids = (await loadTokenizer(checkpoint.folder)).encode(text, { addSpecialTokens: false });
  const bos = bosTokenId === undefined ? 'none' : 'stream';
  const { rows } = evaluationWindows(ids, { window: source.window ?? 128, bos, bosTokenId, limit: source.limit });
  return { rows, input: fileInput('text', source.file, sha256) };
}
