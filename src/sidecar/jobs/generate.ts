/** One continuation of a prompt, its text streamed. */
import { generate as continuePrompt } from '../../engine/evaluate/generate';
import { UserError } from '../../engine/errors';
import { detailsOf } from '../../engine/records/details';
import { optionalTokenizer } from '../../engine/tokenizer/optional';
import { encodePrompt } from '../../engine/tokenizer/prompt';
import { loadTokenizer } from '../../engine/tokenizer/tokenizer';
import { openForComputing, withModel } from '../../engine/model/opened';
import { removedJson } from '../../engine/model/view';
import type { GenerateSpec } from '../../protocol/jobs';
import { type Job, modelOptions, wanted } from './job';
import { NEW_TOKENS, samplingSettings } from './settings';

export const generate: Job<'generate', GenerateSpec> = async (spec, context) => {
  const { prompt, chat, maxNewTokens = NEW_TOKENS, ignoreEos = false } = spec;
  const opened = await openForComputing(spec.checkpoint, wanted(spec));
  const { checkpoint, view, adapter, inputs } = opened;
  const tokenizer = await (prompt === undefined ? optionalTokenizer : loadTokenizer)(checkpoint.folder, context.job);
  const promptIds =
    spec.ids ?? (tokenizer && prompt !== undefined ? await encodePrompt(tokenizer, prompt, { chat }) : []);
  if (promptIds.length === 0) {
    throw new UserError('There is no prompt', 'it has no tokens', 'Give at least one word or one token id.');
  }
  const choice = samplingSettings(spec);
  const decoder = tokenizer?.streamDecoder();
  const emit = (text: string, ids: readonly number[]): void =>
    context.emit({ type: 'text', prompt: 0, column: 0, text, ids });
  const onToken = async (id: number): Promise<void> => emit((await decoder?.push(id)) ?? '', [id]);
  const options = { ...modelOptions(spec, context.hooks), adapter };
  const { result, device } = await withModel(checkpoint, options, async (model) => ({
    result: await continuePrompt(model, promptIds, { maxNewTokens, ...choice, ignoreEos, view, onToken }, context.job),
    device: model.device,
  }));
  const rest = (await decoder?.end()) ?? '';
  if (rest !== '') emit(rest, []);
  const removed = removedJson(opened.removed);
  const text = (await tokenizer?.decode(result.ids, { skipSpecialTokens: true })) ?? null;
  return {
    result: { promptIds, ...result, text, removed },
    run: detailsOf(checkpoint, spec, {
      inputs,
      settings: { prompt: prompt ?? null, promptIds, chat: chat ?? false, maxNewTokens, ...choice, ignoreEos, removed },
      seed: 'seed' in choice ? choice.seed : undefined,
      device,
    }),
  };
};
