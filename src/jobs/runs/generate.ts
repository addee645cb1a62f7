/** One continuation of a prompt, streamed as events; the prompts of a file are in generate-file.ts. */
import { beginningOf } from '../../engine/tokenizer/bos';
import type { Draft } from '../../engine/evaluate/continuation';
import { generate, type Generated } from '../../engine/evaluate/generate';
import { UserError } from '../../engine/errors';
import { openForComputing, withModel } from '../../engine/model/opened';
import { precisionForText } from '../../engine/model/text-precision';
import { removedJson } from '../../engine/model/view';
import { detailsOf } from '../../engine/records/details';
import { optionalTokenizer } from '../../engine/tokenizer/optional';
import { encodePrompt } from '../../engine/tokenizer/prompt';
import { loadTokenizer } from '../../engine/tokenizer/tokenizer';
import type { GenerateResult, PromptsResult } from '../results/generate';
import type { TextEvent } from '../../protocol/jobs';
import type { OptionsFor } from '../kinds';
import { samplingOf } from '../options/sampling';
import { type JobContext, modelOptions, type RunEnd } from '../run';
import { runPrompts } from './generate-file';
import { draftOf, draftSettings, draftUse } from './text-draft';

/** A result with measurements as numbers, for use inside the process. */
type Written = Omit<GenerateResult, TimeField> & Readonly<Record<TimeField, number>>;
type TimeField = 'timeToFirstToken' | 'prefillTokensPerSecond' | 'decodeTokensPerSecond';

export async function runGenerate(
  options: OptionsFor<'generate'>,
  context: JobContext<TextEvent>,
): Promise<RunEnd<Written | PromptsResult>> {
  return options.prompts === undefined ? runPrompt(options, context) : runPrompts(options, options.prompts, context);
}

async function runPrompt(options: OptionsFor<'generate'>, context: JobContext<TextEvent>): Promise<RunEnd<Written>> {
  const { prompt, ids, chat = false, system, bos, maxNewTokens, ignoreEos = false, draftLength } = options;
  const { checkpoint, architecture, view, changes, inputs, removed } = await openForComputing(
    options.checkpoint,
    options,
    context.job,
  );
  const tokenizer = await (prompt === undefined ? optionalTokenizer : loadTokenizer)(checkpoint.home, context.job);
  const beginning = beginningOf(bos, { tokenizer, bosTokenId: architecture.bosTokenId });
  const promptIds =
    ids ??
    (tokenizer && prompt !== undefined ? await encodePrompt(tokenizer, prompt, { chat, system, beginning }) : []);
  if (promptIds.length === 0) {
    throw new UserError('There is no prompt', 'it has no tokens', 'Give at least one word or one token id.');
  }

  const decoding = { skipSpecialTokens: true, after: promptIds };
  const decoder = tokenizer?.streamDecoder(decoding);
  const tell = (text: string, written: readonly number[]): void =>
    context.emit({ type: 'text', prompt: 0, column: 0, text, ids: written });
  // Without a tokenizer the text is the ids.
  const onToken = async (id: number): Promise<void> => tell(decoder ? await decoder.push(id) : `${id} `, [id]);
  const choice = samplingOf(options);
  const precision = await precisionForText(options.precision, [architecture], options);
  const compute = modelOptions(options, context);
  const chosen = await draftOf({ checkpoint, view, changes }, precision, options);
  const { result, device } = await withModel(checkpoint, { ...compute, precision, changes }, async (model) => {
    tell('', []); // the start of the text
    const writing = { maxNewTokens, ...choice, ignoreEos, view, onToken };
    const write = (draft?: Draft): Promise<Generated> =>
      generate(model, promptIds, { ...writing, ...(draft && { draft }) }, context.job);
    const own = chosen && { ...compute, precision: chosen.precision, changes: chosen.changes };
    const written = await (chosen
      ? withModel(chosen.checkpoint, own!, (small) => write({ model: small, view: chosen.view, length: draftLength }))
      : write());
    return { result: written, device: model.device };
  });
  const rest = (await decoder?.end()) ?? '';
  if (rest !== '') tell(rest, []);

  const text = (await tokenizer?.decode(result.ids, decoding)) ?? null;
  const without = removedJson(removed);
  const { speculated, ...generated } = result;
  const draft = chosen && speculated && draftUse(chosen, options, speculated);
  return {
    result: { promptIds, ...generated, text, removed: without, precision, ...(draft && { draft }) },
    run: detailsOf(checkpoint, options, {
      inputs: [...inputs, ...(chosen?.inputs ?? [])],
      settings: {
        prompt: prompt ?? null,
        promptIds,
        chat,
        system,
        maxNewTokens,
        ...choice,
        ignoreEos,
        removed: without,
        ...draftSettings(chosen, options),
      },
      seed: 'seed' in choice ? choice.seed : undefined,
      device,
      precision,
    }),
  };
}
