/** Continues the prompts of a file side by side, and writes the texts to a file that is complete or not there. */
import { beginningOf } from '../../engine/tokenizer/bos';
import { extname, resolve } from 'node:path';
import { readPrompts } from '../../engine/evaluate/prompts-file';
import { writePrompts } from '../../engine/evaluate/write-prompts';
import { writeWhole } from '../../engine/files/whole-file';
import { openForComputing, withModel } from '../../engine/model/opened';
import { precisionForText } from '../../engine/model/text-precision';
import { removedJson } from '../../engine/model/view';
import { detailsOf, fileInput } from '../../engine/records/details';
import { encodePrompt } from '../../engine/tokenizer/prompt';
import { loadTokenizer } from '../../engine/tokenizer/tokenizer';
import type { PromptsResult, PromptText } from '../results/generate';
import { checkFileTarget, refuseExisting } from '../file-target';
import type { OptionsFor } from '../kinds';
import { samplingOf } from '../options/sampling';
import { type JobContext, modelOptions, type RunEnd, secondsSince } from '../run';

/** @param file the prompts */
export async function runPrompts(
  options: OptionsFor<'generate'>,
  file: string,
  context: JobContext,
): Promise<RunEnd<PromptsResult>> {
  const { out, batch, chat = false, system, bos, maxNewTokens, ignoreEos = false } = options;
  if (out !== undefined) {
    await checkFileTarget('the texts', out, options.checkpoint, [file]);
    await refuseExisting(out, 'Name another file.');
  }
  const prompts = await readPrompts(file);
  const { checkpoint, architecture, view, changes, inputs, removed } = await openForComputing(
    options.checkpoint,
    options,
    context.job,
  );
  const tokenizer = await loadTokenizer(checkpoint.home, context.job);
  const beginning = beginningOf(bos, { tokenizer, bosTokenId: architecture.bosTokenId });
  const promptIds: number[][] = [];
  for (const prompt of prompts.texts)
    promptIds.push(await encodePrompt(tokenizer, prompt, { chat, system, beginning }));
  const choice = samplingOf(options);
  const texts: PromptText[] = [];
  const start = performance.now();
  const precision = await precisionForText(options.precision, [architecture], options);
  const device = await withModel(
    checkpoint,
    { ...modelOptions(options, context), precision, changes },
    async (model) => {
      const writing = { maxNewTokens, ...choice, ignoreEos, view, together: batch };
      await writePrompts(
        model,
        promptIds,
        writing,
        async (some, written) => {
          for (const [i, { ids, stopped }] of written.entries()) {
            const at = some[i];
            const text = await tokenizer.decode(ids, { skipSpecialTokens: true, after: promptIds[at] });
            texts[at] = { prompt: prompts.texts[at], promptTokens: promptIds[at].length, text, ids, stopped };
          }
        },
        context.job,
      );
      return model.device;
    },
  );
  const seconds = secondsSince(start);
  if (out !== undefined) await writeWhole(out, textsFile(out, texts));
  const without = removedJson(removed);
  const tokens = texts.reduce((sum, { ids }) => sum + ids.length, 0);
  const input = fileInput('prompts', file, prompts.sha256);
  return {
    result: {
      texts,
      out: out === undefined ? null : resolve(out),
      batch,
      removed: without,
      precision,
      tokensPerSecond: tokens / seconds,
      seconds,
    },
    run: detailsOf(checkpoint, options, {
      inputs: [...inputs, input],
      settings: { prompts: prompts.texts, chat, system, maxNewTokens, ...choice, ignoreEos, batch, removed: without },
      seed: 'seed' in choice ? choice.seed : undefined,
      device,
      precision,
    }),
  };
}

/** A list for .json, otherwise a line for each text. */
function textsFile(path: string, texts: readonly PromptText[]): string {
  if (extname(path).toLowerCase() === '.json') return `${JSON.stringify(texts, undefined, 2)}\n`;
  return texts.map((text) => `${JSON.stringify(text)}\n`).join('');
}
