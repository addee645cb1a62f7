/** The text that a forecast is about: what the target writes for the application's prompts, in the type that ships. */
import { basename, resolve } from 'node:path';
import { longestText } from '../../engine/checkpoint/architecture';
import { openCheckpoint, requireArchitecture } from '../../engine/checkpoint/open';
import type { Checkpoint } from '../../engine/checkpoint/types';
import type { WrittenText } from '../../engine/draft/places';
import { type PromptsOfDraft, requireRows } from '../../engine/draft/rows-file';
import { type Rule, RUNTIME_FACTS } from '../../engine/draft/runtimes';
import { throwIfCancelled, UserError } from '../../engine/errors';
import { writePrompts } from '../../engine/evaluate/write-prompts';
import { DEFAULT_SEED } from '../../engine/importance/drawing';
import { withModel } from '../../engine/model/opened';
import { option } from '../../engine/option-token';
import { type JobOptions, Work } from '../../engine/progress';
import { beginningOf } from '../../engine/tokenizer/bos';
import { encodePrompt } from '../../engine/tokenizer/prompt';
import { loadTokenizer, type Tokenizer } from '../../engine/tokenizer/tokenizer';
import { openOnnxReader } from '../../engine/verify/onnx-reader';
import { heldOutOf } from '../definitions/draft';
import type { OptionsFor } from '../kinds';
import { type JobContext, modelOptions } from '../run';
import type { Shipped } from './draft-models';

type Options = OptionsFor<'draft'>;

/** Texts side by side. */
const TOGETHER = 16;
/** Of a text: a shorter one has no round. */
const LEAST_TOKENS = 2;

export interface DraftText {
  /** Those that decide. */
  readonly searched: readonly WrittenText[];
  /** Those that judge the choice. */
  readonly heldOut: readonly WrittenText[];
  readonly source: string;
  readonly rule: Rule;
}

export const ruleOf = ({ for: runtime, temperature }: Options): Rule =>
  temperature === 0 ? 'greedy' : RUNTIME_FACTS[runtime].drawing;

/** The temperature by which distributions are compared. */
export const comparedAt = ({ temperature }: Options): number => (temperature === 0 ? 1 : temperature);

/** @throws UserError for prompts that the model cannot continue; CancelledError */
export async function textOf(
  options: Options,
  prompts: PromptsOfDraft,
  checkpoint: Checkpoint,
  target: Shipped,
  context: JobContext,
  job: JobOptions,
): Promise<DraftText> {
  const architecture = requireArchitecture(checkpoint);
  if (prompts.rows) requireRows(prompts.rows, options.prompts, architecture.vocabulary, longestText(architecture));
  const all = prompts.rows ?? (await written(options, prompts.texts, checkpoint, target, context, job));
  const texts = all.filter(({ ids }) => ids.length >= LEAST_TOKENS);
  if (texts.length < all.length) {
    context.note(
      `${all.length - texts.length} of ${all.length} prompts are left out: the model ends their texts at once`,
    );
  }
  const heldOut = heldOutOf(texts.length, options.heldOut);
  if (texts.length - heldOut < 1) {
    throw new UserError(
      `${options.prompts} has too few prompts`,
      `${option('heldOut', heldOut)} leaves none of ${texts.length} that decide`,
      'Give more prompts, or hold out fewer.',
    );
  }
  return {
    searched: texts.slice(0, texts.length - heldOut),
    heldOut: texts.slice(texts.length - heldOut),
    source: basename(resolve(options.prompts)),
    rule: ruleOf(options),
  };
}

async function written(
  options: Options,
  prompts: readonly string[],
  checkpoint: Checkpoint,
  target: Shipped,
  context: JobContext,
  job: JobOptions,
): Promise<WrittenText[]> {
  const { maxNewTokens, temperature, for: runtime } = options;
  const shape = requireArchitecture(checkpoint);
  const tokenizer = await loadTokenizer(checkpoint.home, job);
  const ids = await encoded(options, prompts, tokenizer, shape.bosTokenId);
  const isInBlocks = RUNTIME_FACTS[runtime].format === 'onnx' && target.type !== 'f32';
  if (isInBlocks && temperature === 0) return byFile(target.file, ids, options, shape.eosTokenIds, job);
  // float32 computes what the file does; texts that are drawn need not be those of the file.
  const ready = RUNTIME_FACTS[runtime].format === 'onnx' ? checkpoint : await openCheckpoint(target.path);
  const texts: WrittenText[] = [];
  await withModel(ready, modelOptions(options, context), (model) =>
    writePrompts(
      model,
      ids,
      {
        maxNewTokens,
        ...(temperature === 0 ? { greedy: true } : { temperature, seed: DEFAULT_SEED }),
        together: TOGETHER,
      },
      (some, all) => all.forEach((text, i) => (texts[some[i]] = { prompt: ids[some[i]], ids: text.ids })),
      job,
    ),
  );
  return texts;
}

async function encoded(
  { bos, chat = false }: Options,
  prompts: readonly string[],
  tokenizer: Tokenizer,
  bosTokenId: number | undefined,
): Promise<number[][]> {
  const beginning = beginningOf(bos, { tokenizer, bosTokenId });
  const all: number[][] = [];
  for (const prompt of prompts) all.push(await encodePrompt(tokenizer, prompt, { chat, beginning }));
  return all;
}

/** The texts that an exported file writes, one after another. */
async function byFile(
  file: string,
  prompts: readonly (readonly number[])[],
  { maxNewTokens, threads }: Options,
  ends: readonly number[],
  { signal, onProgress }: JobOptions,
): Promise<WrittenText[]> {
  const work = new Work({ signal, onProgress }, prompts.length, 'texts', 'writing');
  const reader = await openOnnxReader(file, basename(file), threads);
  const texts: WrittenText[] = [];
  try {
    for (const prompt of prompts) {
      throwIfCancelled(signal);
      const { ids } = await reader.greedy(prompt, maxNewTokens, { signal });
      const end = ids.findIndex((id) => ends.includes(id));
      texts.push({ prompt, ids: end < 0 ? ids : ids.slice(0, end) });
      work.advance(1);
    }
    return texts;
  } finally {
    await reader.close();
  }
}
