/**
 * Instruction data in the Alpaca prompt (Taori et al. 2023), with the loss on the response only, as in Shortened
 * LLaMA's `src/lora_retrain.py`.
 *
 * As there, the prompt's tokens are counted by encoding the prompt separately, without EOS. Rows are cut at the length,
 * and EOS is appended if it fits.
 */
import { type Instruction, promptedText, type PromptStyle } from '../../application/prompted';
import { type Example, exampleWithTargets } from './example';
import { encodeText } from '../../tokenizer/bos';
import type { EncodingOptions, TextEncoder } from './options';

/** The example of one record, at most `length` tokens. It has no target when the prompt alone fills that length. */
export async function instructionExample(
  record: Instruction,
  style: PromptStyle,
  encoder: TextEncoder,
  { length, eosTokenId, beginning }: EncodingOptions,
): Promise<{ example: Example; truncated: boolean }> {
  const { prompt, response } = promptedText(record, style);
  const promptIds = await encodeText(encoder, prompt, beginning);
  const promptTokens = promptIds.at(-1) === eosTokenId ? promptIds.length - 1 : promptIds.length;
  const all = await encodeText(encoder, prompt + response, beginning);
  const ids = all.slice(0, length);
  if (eosTokenId !== undefined && ids.length < length && ids.at(-1) !== eosTokenId) ids.push(eosTokenId);
  const example = exampleWithTargets(ids, [{ start: promptTokens, end: ids.length }]);
  return { example, truncated: all.length > length };
}
