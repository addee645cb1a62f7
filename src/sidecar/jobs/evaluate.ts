/** Perplexity of a text under a model or a view of it. */
import { CALIBRATION_IS_EVALUATION, wasCalibratedWith } from '../../engine/evaluate/calibrated';
import { evaluatePerplexity } from '../../engine/evaluate/perplexity';
import { detailsOf, fileInput } from '../../engine/runs/details';
import { readTextFile } from '../../engine/textfile';
import { loadTokenizer } from '../../engine/tokenizer/tokenizer';
import { openForComputing, removedJson, withModel } from '../../engine/transformer/opened';
import type { EvaluateSpec } from '../../protocol/jobs';
import { type Job, modelOptions, secondsSince, wanted } from './job';

export const MAX_TEXT_BYTES = 64 * 2 ** 20;
export const MAX_TEXT_REASON = 'Evaluation texts have a few MB; cut it into parts.';

export const evaluate: Job<'evaluate', EvaluateSpec> = async (spec, context) => {
  const start = performance.now();
  const opened = await openForComputing(spec.checkpoint, wanted(spec));
  const { checkpoint, architecture, view, adapter, inputs } = opened;
  const { text, sha256 } = await readTextFile(spec.text, MAX_TEXT_BYTES, MAX_TEXT_REASON);
  const tokenizer = await loadTokenizer(checkpoint.folder);
  const calibrated = await wasCalibratedWith(checkpoint, sha256);
  if (calibrated) context.note(CALIBRATION_IS_EVALUATION);
  const ids = tokenizer.encode(text, { addSpecialTokens: false });

  const { window = 128, limit } = spec;
  const bos = spec.bos ?? (architecture.bosTokenId === undefined ? 'none' : 'stream');
  const options = { ...modelOptions(spec, context.hooks), adapter };
  const { result, device } = await withModel(checkpoint, options, async (model) => ({
    result: await evaluatePerplexity(model, ids, { window, bos, limit, view }, context.job),
    device: model.device,
  }));
  const { ppl, meanNll, tokens, windows } = result;
  const removed = removedJson(opened.removed);
  const seconds = secondsSince(start);
  return {
    result: { ppl, meanNll, tokens, windows, window, bos, removed, calibrated, seconds },
    run: detailsOf(checkpoint, spec, {
      inputs: [fileInput('text', spec.text, sha256), ...inputs],
      settings: { window, bos, limit: limit ?? null, removed },
      device,
    }),
  };
};
